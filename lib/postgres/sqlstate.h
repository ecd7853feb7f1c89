/*
 * The SQLSTATEs that something is decided by, with the names that PostgreSQL gives them (appendix A of its manual).
 */
#ifndef MIG_POSTGRES_SQLSTATE_H
#define MIG_POSTGRES_SQLSTATE_H

#define SQLSTATE_SUCCESSFUL_COMPLETION               "00000"
#define SQLSTATE_DATETIME_FIELD_OVERFLOW             "22008"
#define SQLSTATE_INVALID_TEXT_REPRESENTATION         "22P02"
#define SQLSTATE_NOT_NULL_VIOLATION                  "23502"
#define SQLSTATE_FOREIGN_KEY_VIOLATION               "23503"
#define SQLSTATE_UNIQUE_VIOLATION                    "23505"
#define SQLSTATE_CHECK_VIOLATION                     "23514"
#define SQLSTATE_ACTIVE_SQL_TRANSACTION              "25001"
#define SQLSTATE_READ_ONLY_SQL_TRANSACTION           "25006"
#define SQLSTATE_NO_ACTIVE_SQL_TRANSACTION           "25P01"
#define SQLSTATE_IDLE_IN_TRANSACTION_SESSION_TIMEOUT "25P03"
#define SQLSTATE_TRANSACTION_TIMEOUT                 "25P04"
#define SQLSTATE_INVALID_TRANSACTION_TERMINATION     "2D000"
#define SQLSTATE_INVALID_CATALOG_NAME                "3D000"
#define SQLSTATE_SERIALIZATION_FAILURE               "40001"
#define SQLSTATE_DEADLOCK_DETECTED                   "40P01"
#define SQLSTATE_INSUFFICIENT_PRIVILEGE              "42501"
#define SQLSTATE_UNDEFINED_OBJECT                    "42704"
#define SQLSTATE_UNDEFINED_TABLE                     "42P01"
#define SQLSTATE_DUPLICATE_TABLE                     "42P07"
#define SQLSTATE_OBJECT_NOT_IN_PREREQUISITE_STATE    "55000"
#define SQLSTATE_LOCK_NOT_AVAILABLE                  "55P03"
#define SQLSTATE_UNSAFE_NEW_ENUM_VALUE_USAGE         "55P04"
#define SQLSTATE_QUERY_CANCELED                      "57014"
#define SQLSTATE_ADMIN_SHUTDOWN                      "57P01"
#define SQLSTATE_CRASH_SHUTDOWN                      "57P02"
#define SQLSTATE_CANNOT_CONNECT_NOW                  "57P03"
#define SQLSTATE_IDLE_SESSION_TIMEOUT                "57P05"

#endif
