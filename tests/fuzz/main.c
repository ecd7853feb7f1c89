/*
 * In place of libFuzzer: the same function, once with each file in the named folders.  The suite runs the corpora so, with
 * the usual compiler.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "fuzz.h"

static bool
run_file(const char *path)
{
	static uint8_t data[1 << 20];
	FILE *file = fopen(path, "rb");
	size_t len;

	if (file == NULL || (len = fread(data, 1, sizeof data, file)) == sizeof data)
		return false;
	(void)fclose(file);
	return LLVMFuzzerTestOneInput(data, len) == 0;
}

int
main(int argc, char *argv[])
{
	size_t ran = 0;
	int i;

	for (i = 1; i < argc; i++) {
		DIR *list = opendir(argv[i]);
		struct dirent *entry;

		if (list == NULL)
			return EXIT_FAILURE;
		while ((entry = readdir(list)) != NULL) {
			char *path = xformat("%s/%s", argv[i], entry->d_name);

			if (entry->d_name[0] != '.') {
				if (!run_file(path))
					return EXIT_FAILURE;
				ran++;
			}
			free(path);
		}
		(void)closedir(list);
	}
	return ran > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
