#include "program.h"

#include <stdlib.h>
#include <string.h>

#include "base/atomic_file.h"
#include "base/message.h"
#include "base/options.h"
#include "base/signals.h"
#include "records/output.h"
#include "secret/secret.h"

void
program_begin(struct output *out, const struct program *program, int argc, char *argv[], unsigned flags)
{
	secret_begin(argc, argv);
	if (flags & PROGRAM_NEEDS_NO_SECRET)
		secret_drop_taken();
	message_begin(program->name);
	if (flags & PROGRAM_ROLLS_BACK)
		signals_begin();
	else
		signals_end_after(atomic_file_abandon);
	output_begin(out, program, argc, argv);
}

int
program_end(struct output *out, int code)
{
	code = output_close(out, code);
	if (code > 128)
		signals_reraise();
	return code;
}

int
program_role(const char *given, const char **role)
{
	enum { NAME_BYTES = 63 }; /* the server would cut the rest off, without a word */
	const char *value = given != NULL ? given : getenv("MIG_ROLE");

	*role = NULL;
	if (given != NULL && *given == '\0')
		return options_wrong("--role needs a name");
	if (value == NULL || *value == '\0' || strcmp(value, "none") == 0)
		return 0;
	if (strlen(value) > NAME_BYTES)
		return options_wrong("--role: a name has at most %d bytes, and this one has %zu", NAME_BYTES, strlen(value));
	*role = value;
	return 0;
}

int
program_max_stall(const char *value, long long *ms)
{
	int code = options_time("max-stall", value, ms);

	if (code == 0 && *ms < 1)
		code = options_wrong("--max-stall=%s: must be greater than 0, or no lock could be taken", value);
	return code;
}
