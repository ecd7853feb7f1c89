/*
 * Where this machine keeps the CA certificates it trusts, for connections that name none.  A library built on
 * another system looks in that system's places.
 */
#ifndef MIG_BASE_TRUST_H
#define MIG_BASE_TRUST_H

/*
 * Returns the path of a readable certificate file: what SSL_CERT_FILE names, even if missing, else the usual
 * places of Debian, Alpine and Red Hat; NULL if there is none.  The caller does not free it.
 */
const char *trust_file(void);

/* The certificate folder that SSL_CERT_DIR names, or NULL. */
const char *trust_folder(void);

/* One line of advice for users on a machine without certificates. */
#define TRUST_HINT "no CA certificates were found here: apt-get install ca-certificates, or set SSL_CERT_FILE"

#endif
