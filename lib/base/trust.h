/*
 * Where this machine keeps the certificates of the authorities that it trusts, for whom nobody named any.
 * A library that was built elsewhere looks where that machine had them.
 */
#ifndef MIG_BASE_TRUST_H
#define MIG_BASE_TRUST_H

/*
 * A file of them that can be read: what SSL_CERT_FILE names, whether it is there or not, else the usual places of
 * Debian, Alpine and Red Hat; NULL: none.
 */
const char *trust_file(void);

/* The folder of them that SSL_CERT_DIR names, or NULL. */
const char *trust_folder(void);

/* How to get there, in one line for people, where none was found. */
#define TRUST_HINT "no CA certificates were found here: apt-get install ca-certificates, or set SSL_CERT_FILE"

#endif
