/*
 * Stubs for the Kerberos and LDAP functions that libpq.a calls, for `make static`.  libpq accepts that Kerberos is
 * not available unless it is required.  source_open() refuses a string that requires it; if the server or a
 * service file requires either, db_absent names it.
 */
#ifdef MIG_STATIC
#include "postgres/connection_internal.h"

const char *db_absent;

enum { GSS_S_UNAVAILABLE = 16 << 16 };

/* Their callers have prototypes of their own, with parameters that are of no interest here. */
#define ANSWERS(type, name, answer) \
	type name(void); \
	type name(void) { return answer; }
#define IS_WANTED(type, name, what, answer) \
	type name(void); \
	type name(void) { db_absent = what; return answer; }

extern void *GSS_C_NT_HOSTBASED_SERVICE;
void *GSS_C_NT_HOSTBASED_SERVICE;

ANSWERS(unsigned, gss_acquire_cred, GSS_S_UNAVAILABLE)
ANSWERS(unsigned, gss_delete_sec_context, GSS_S_UNAVAILABLE)
ANSWERS(unsigned, gss_display_status, GSS_S_UNAVAILABLE)
ANSWERS(unsigned, gss_init_sec_context, GSS_S_UNAVAILABLE)
ANSWERS(unsigned, gss_release_buffer, GSS_S_UNAVAILABLE)
ANSWERS(unsigned, gss_release_cred, GSS_S_UNAVAILABLE)
ANSWERS(unsigned, gss_release_name, GSS_S_UNAVAILABLE)
ANSWERS(unsigned, gss_unwrap, GSS_S_UNAVAILABLE)
ANSWERS(unsigned, gss_wrap, GSS_S_UNAVAILABLE)
ANSWERS(unsigned, gss_wrap_size_limit, GSS_S_UNAVAILABLE)
IS_WANTED(unsigned, gss_import_name, "the server requires Kerberos", GSS_S_UNAVAILABLE)

ANSWERS(int, ldap_count_entries, -1)
ANSWERS(const char *, ldap_err2string, "not available")
ANSWERS(void *, ldap_first_entry, 0)
ANSWERS(void *, ldap_get_values_len, 0)
ANSWERS(int, ldap_msgfree, -1)
ANSWERS(int, ldap_result, -1)
ANSWERS(int, ldap_search_st, -1)
ANSWERS(int, ldap_set_option, -1)
ANSWERS(int, ldap_simple_bind, -1)
ANSWERS(int, ldap_unbind, -1)
ANSWERS(int, ldap_value_free_len, -1)
IS_WANTED(void *, ldap_init, "the service file requires LDAP", 0)
#endif
