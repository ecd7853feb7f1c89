#include "migrations/script_path.h"

#include <string.h>

#include "base/shell_quote.h"

void
script_path_of(struct bytes *out, const char *folder, const char *migration, const char *file)
{
	size_t len = folder != NULL ? strlen(folder) : 0;

	while (len > 0 && folder[len - 1] == '/')
		len--;
	if (folder != NULL)
		bytes_format(out, "%.*s/", (int)len, folder);
	bytes_format(out, "%s/%s", migration, file);
}

void
script_path(struct bytes *out, const char *folder, const char *migration)
{
	script_path_of(out, folder, migration, "migration.sql");
}

void
script_path_word(struct bytes *out, const char *folder, const char *migration)
{
	struct bytes path = { 0 };

	script_path(&path, folder, migration);
	shell_path_word(out, path.data);
	bytes_free(&path);
}
