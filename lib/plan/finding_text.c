#include "plan/finding_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/null.h"
#include "base/shell_quote.h"
#include "migrations/script_path.h"

void
finding_place(struct bytes *out, const struct planned *planned, const struct finding *f)
{
	if (f->migration == NULL)
		return;
	if (f->line == NUMBER_UNKNOWN) {
		bytes_format(out, "%s: ", f->migration);
		return;
	}
	script_path_of(out, planned->folder, f->migration, planned_file(planned));
	bytes_format(out, ":%lld:%lld: ", f->line, f->column);
}

/* Which commits touched the migration.  From the folder, so that its name is a path of git's wherever this is typed. */
static void
git_log(struct bytes *out, const char *folder, const char *option, const char *migration)
{
	bytes_str(out, "git -C ");
	shell_word(out, folder);
	bytes_format(out, " log %s -- ", option);
	shell_path_word(out, migration);
}

void
finding_remedy(struct bytes *out, const char *folder, const struct finding *f)
{
	bool removed = strcmp(f->rule, "missing") == 0 || strcmp(f->rule, "no_script") == 0;

	if (folder != NULL && (removed || strcmp(f->rule, "edited") == 0)) {
		git_log(out, folder, removed ? "--diff-filter=D" : "-p", f->migration);
	} else if (strcmp(f->rule, "psql") == 0) {
		bytes_str(out, "remove the lines that begin with a backslash:  sed -i '/^\\\\/d' ");
		script_path_word(out, folder, f->migration);
	} else if (f->remedy != NULL) {
		bytes_str(out, f->remedy);
	}
}
