/*
 * What every fuzz_*.c of libFuzzer has: its function, and a claim whose failure is the fault that libFuzzer looks for.
 */
#ifndef MIG_TESTS_FUZZ_H
#define MIG_TESTS_FUZZ_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void
check(bool truth)
{
	if (!truth)
		abort();
}

#endif
