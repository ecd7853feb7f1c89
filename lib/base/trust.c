#include "base/trust.h"

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

static const char *
variable(const char *name)
{
	const char *value = getenv(name);

	return value != NULL && *value != '\0' ? value : NULL;
}

const char *
trust_file(void)
{
	static const char *const usual[] = {
		"/etc/ssl/certs/ca-certificates.crt", /* Debian, Alpine's package, distroless */
		"/etc/pki/tls/certs/ca-bundle.crt",   /* Red Hat */
		"/etc/ssl/cert.pem",                  /* Alpine, the BSDs */
		"/etc/ssl/ca-bundle.pem"              /* SUSE */
	};
	const char *named = variable("SSL_CERT_FILE");
	size_t i;

	if (named != NULL)
		return named;
	for (i = 0; i < sizeof usual / sizeof *usual; i++)
		if (access(usual[i], R_OK) == 0)
			return usual[i];
	return NULL;
}

const char *
trust_folder(void)
{
	return variable("SSL_CERT_DIR");
}
