#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

#include "base/bytes.h"
#include "base/message.h"
#include "base/mig.h"

/* dlerror() begins with the file that is not there, which may be one that the library itself needs. */
static int
say_missing(const struct library *library, const char *why)
{
	size_t len = strlen(library->file);

	if (strstr(why, "annot allocate") != NULL || strstr(why, "cannot create shared object descriptor") != NULL) /* glibc's words */
		bytes_out_of_memory();
	if (strncmp(why, library->file, len) == 0 && strstr(why, "No such file") != NULL) /* of glibc; others are quoted */
		return message_error(MIG_CONFIG, "%s is missing: apt-get install %s", library->file, library->package);
	(void)message_error(MIG_CONFIG, "cannot load %s: %s", library->file, why);
	message_line("  Install its package again: apt-get install --reinstall %s", library->package);
	return MIG_CONFIG;
}

int
library_load(const struct library *library, const struct library_function functions[], size_t count)
{
	void *opened = dlopen(library->file, library->mode), *from;
	size_t i;

	if (opened == NULL)
		return say_missing(library, dlerror());
	/* as a program would find them if it were linked: what LD_PRELOAD puts in front comes first */
	from = library->mode & RTLD_GLOBAL ? dlopen(NULL, RTLD_LAZY) : opened;
	for (i = 0; i < count; i++) {
		void *found = dlsym(from, functions[i].name);

		if (found == NULL)
			return message_error(MIG_CONFIG, "%s is too old: it lacks %s: apt-get install %s", library->file,
			    functions[i].name, library->package);
		memcpy(functions[i].place, &found, sizeof found);
	}
	return 0;
}
