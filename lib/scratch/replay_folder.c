#include "scratch/replay_folder.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/suggest.h"
#include "catalog/read.h"
#include "records/model.h"
#include "records/words.h"
#include "scratch/replay.h"
#include "scratch/template.h"

static int
refuse_script(const struct migration *m)
{
	if (m->flaw == FLAW_NUL)
		return message_error(MIG_DATA, "%s/migration.sql: it contains a NUL byte, which PostgreSQL does not accept", m->migration);
	return message_error(MIG_DATA, "%s: there is no migration.sql in this folder", m->migration);
}

int
replay_refuse_name(const char *option, const char *to, const char *path, const char *const names[], size_t count)
{
	const char *nearest = suggest_nearest(to, strlen(to), names, count);
	int code = message_error(MIG_DATA, "--%s: there is no migration %s in %s", option, to, path != NULL ? path : "the folder");

	if (nearest != NULL)
		message_line("  Did you mean --%s=%s?", option, nearest);
	return code;
}

/* The scripts up to the last one that is wanted, each in memory of its own. */
static int
read_scripts(struct folder *folder, const char *to, struct script scripts[], size_t *count)
{
	int code = 0;
	size_t i;

	for (i = 0; code == 0 && i < folder->count; i++) {
		code = folder_read(folder, i, &scripts[i]);
		*count = i + 1;
		if (code == 0 && scripts[i].migration.sql == NULL)
			code = refuse_script(&scripts[i].migration);
		if (code == 0 && to != NULL && strcmp(scripts[i].migration.migration, to) == 0)
			return 0;
	}
	return code == 0 && to != NULL ? replay_refuse_name("to", to, folder->path, (const char *const *)folder->names, folder->count) : code;
}

static int
run_and_read(const struct folder *folder, const struct replay_wish *wish, const struct scratch_order *order,
    const struct step steps[], struct catalog *catalog)
{
	int code;
	struct scratch *scratch = scratch_open(order, &code);

	if (scratch == NULL)
		return code;
	code = replay_run(scratch, folder->path, steps, order->count);
	if (code == 0)
		code = catalog_of_database(scratch_db(scratch),
		    &(struct catalog_wish){ SOURCE_REPLAY, folder->path, scratch_schema(scratch), wish->grants }, catalog);
	scratch_close(scratch);
	return code;
}

int
replay_folder(struct folder *folder, const struct replay_wish *wish, struct catalog *catalog)
{
	struct script *scripts = xcalloc(folder->count + 1, sizeof *scripts);
	struct step *steps = xcalloc(folder->count + 1, sizeof *steps);
	struct template_step *names = xcalloc(folder->count + 1, sizeof *names);
	struct scratch_order order = wish->order;
	size_t count = 0, i;
	int code = read_scripts(folder, wish->to, scripts, &count);

	for (i = 0; i < count; i++) {
		const struct migration *m = &scripts[i].migration;

		steps[i] = (struct step){ .step = (long long)i + 1, .migration = m->migration, .checksum = m->checksum, .sql = m->sql };
		names[i] = (struct template_step){ m->migration, m->checksum };
	}
	order.steps = names;
	order.count = count;
	if (code == 0)
		code = run_and_read(folder, wish, &order, steps, catalog);
	for (i = 0; i < count; i++)
		script_free(&scripts[i]);
	free(scripts);
	free(steps);
	free(names);
	return code;
}
