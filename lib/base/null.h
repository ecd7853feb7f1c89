#ifndef MIG_BASE_NULL_H
#define MIG_BASE_NULL_H

#include <limits.h>

#define NUMBER_UNKNOWN LLONG_MIN /* null: the number is unknown */

#endif
