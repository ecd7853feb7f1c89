#include "diff/command.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"
#include "base/null.h"
#include "catalog/catalog.h"
#include "catalog/stream.h"
#include "datamodel/files.h"
#include "diff/diff.h"
#include "diff/page.h"
#include "records/json.h"
#include "records/model.h"
#include "records/record.h"
#include "records/stream_diff.h"
#include "records/words.h"

/* A side that was read; what its texts need lives as long. */
struct input {
	struct catalog catalog;
	struct reader *reader;
};

/* --- reading --- */

static bool
is_datamodel(const char *path)
{
	size_t len = strlen(path);
	struct stat st;

	if (strcmp(path, "-") == 0)
		return false;
	return (len > strlen(".prisma") && strcmp(path + len - strlen(".prisma"), ".prisma") == 0) ||
	    (stat(path, &st) == 0 && S_ISDIR(st.st_mode));
}

static int
read_stream(struct input *in, const char *path, struct output *out)
{
	static const char *const kinds[] = { SCHEMA_STREAM, NULL };
	enum reading got;

	in->reader = reader_open(path, "Nothing was compared.",
	    "expected a schema there:  mig-scan --datamodel=prisma/schema.prisma | mig-plan --diff FROM -");
	if (in->reader == NULL)
		return message_code();
	got = reader_begin(in->reader, kinds);
	if (got == READING_RECORD)
		got = catalog_read(in->reader, &in->catalog);
	if (got == READING_FAILED) {
		out->upstream = reader_failure(in->reader);
		return (int)out->upstream->exit_code;
	}
	return got == READING_END ? 0 : MIG_DATA;
}

static int
read_input(struct input *in, const char *path, struct output *out)
{
	return is_datamodel(path) ? datamodel_open(path, &in->catalog) : read_stream(in, path, out);
}

static void
input_free(struct input *in)
{
	catalog_free(&in->catalog);
	reader_free(in->reader);
}

/* --- writing --- */

static const char *
damage_word(enum damage damage)
{
	static const char *const words[] = { "loses", "may_fail", "changes", "none" };

	return words[damage];
}

static void
write_head(struct writer *writer, const struct catalog *from, const struct catalog *to, const struct diff *diff)
{
	const char *kinds[OBJECT_KINDS];
	struct bytes list = { 0 };
	size_t count = 0;
	int kind;

	for (kind = 0; from != NULL && kind < OBJECT_KINDS; kind++)
		if (from->covers[kind] != to->covers[kind])
			kinds[count++] = object_kind_name((enum object_kind)kind);
	json_add_list(&list, kinds, count);
	writer_put(writer, &diff_form,
	    &(struct diff_head){ .from_source = from != NULL ? from->source : SOURCE_EMPTY,
	        .from_origin = from != NULL ? from->origin : NULL,
	        .to_source = to->source,
	        .to_origin = to->origin,
	        .differences = (long long)diff->difference_count,
	        .not_compared = bytes_text(&list) });
	bytes_free(&list);
}

static void
write_records(struct writer *writer, const struct catalog *from, const struct catalog *to, const struct diff *diff,
    const struct bytes *script)
{
	size_t i;

	write_head(writer, from, to, diff);
	for (i = 0; i < diff->difference_count; i++) {
		const struct difference *d = &diff->differences[i];

		writer_put(writer, &difference_form,
		    &(struct diff_difference){ .change = change_kind_name(d->change),
		        .object = object_kind_name(d->object),
		        .schema = d->schema,
		        .relation = d->relation,
		        .name = d->name,
		        .from = d->from,
		        .to = d->to,
		        .damage = damage_word(d->damage),
		        .consequence = d->consequence });
	}
	for (i = 0; i < diff->finding_count; i++)
		writer_put(writer, &finding_form,
		    &(struct finding){ .rule = diff->findings[i].rule,
		        .severity = diff->findings[i].severity,
		        .line = NUMBER_UNKNOWN,
		        .column = NUMBER_UNKNOWN,
		        .message = diff->findings[i].message,
		        .remedy = diff->findings[i].remedy });
	writer_put(writer, &script_form, &(struct diff_script){ bytes_text(script) });
}

/* Beside the script, whose bytes are Prisma's. */
static void
say_findings(const struct diff *diff)
{
	size_t i;

	for (i = 0; i < diff->finding_count; i++) {
		const struct diff_finding *f = &diff->findings[i];

		if (f->severity == SEVERITY_NOTE && message_verbosity < 1)
			continue;
		message_warning("%s [%s]", f->message, f->rule);
		if (f->remedy != NULL)
			message_line("    %s", f->remedy);
	}
}

static void
show(const struct catalog *from, const struct catalog *to, const struct diff *diff, const struct bytes *script, bool sql)
{
	struct bytes page = { 0 };

	if (sql) {
		fwrite(bytes_text(script), 1, script->len, stdout);
		say_findings(diff);
		return;
	}
	page_diff(&page, from, to, diff);
	output_page(&page);
	bytes_free(&page);
}

/* Two live catalogs differ in more than Prisma sees, which alone is in the script. */
static void
make_diff(struct catalog *from, struct catalog *to, struct diff *diff)
{
	diff_make(from, to, diff);
	if (from == NULL || !diff_is_drift(from, to))
		return;
	diff->difference_count = 0;
	diff_drift(from, to, diff);
}

static int
compare(const struct diff_request *request, struct catalog *from, struct catalog *to, struct output *out)
{
	bool sql = out->format != NULL && strcmp(out->format, "sql") == 0;
	struct bytes script = { 0 };
	struct diff diff = { 0 };
	int code = 0;

	make_diff(from, to, &diff);
	if (diff.refused != NULL) {
		code = message_error(MIG_DATA, "%s", diff.refused);
		message_line("  Prisma refuses to compare the two, so there is no script.  Add that schema to schemas = [...] of the datasource,");
		message_line("  and its tables as models; or drop the foreign key.");
		diff_free(&diff);
		return code;
	}
	diff_by_damage(&diff);
	diff_script(&diff, &script);
	if (out->writer != NULL)
		write_records(out->writer, from, to, &diff, &script);
	if (out->page)
		show(from, to, &diff, &script, sql);
	if (request->exit_code && (diff.step_count > 0 || (!sql && diff.difference_count > 0)))
		code = MIG_TODO;
	out->complete = true;
	bytes_free(&script);
	diff_free(&diff);
	return code;
}

int
diff_command(const struct diff_request *request, struct output *out)
{
	struct input from = { 0 }, to = { 0 };
	int code = output_open(out);

	if (code == 0 && request->from != NULL)
		code = read_input(&from, request->from, out);
	if (code == 0)
		code = read_input(&to, request->to, out);
	if (code == 0)
		code = compare(request, request->from != NULL ? &from.catalog : NULL, &to.catalog, out);
	/* the failure of a tool before, which `out` points to, lives in its reader */
	code = output_close(out, code);
	input_free(&from);
	input_free(&to);
	return code;
}
