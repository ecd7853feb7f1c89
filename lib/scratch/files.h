/*
 * Private folders: create, copy, remove, measure.  Call all of these within child_do().
 */
#ifndef MIG_SCRATCH_FILES_H
#define MIG_SCRATCH_FILES_H

/*
 * Creates a folder and its parents, or accepts an existing one, which must be a real folder that we own; removes
 * the access of all other users.  Returns 0, or an errno; EEXIST: something else has that name, or another user
 * owns it.
 */
int files_private_folder(const char *path);

/*
 * Copies a folder to `to`, which becomes equal where it exists: what is equal is not written again, what the folder does not have is
 * removed.  Copies only regular files and folders; skips links and sockets.  Returns 0, or an errno; `to` is incomplete then.
 */
int files_copy(const char *from, const char *to);

/*
 * Removes a file, or a folder with its content; does not follow links.  Returns 0, also if it does not exist, or
 * an errno.
 */
int files_remove(const char *path);

/* The bytes that a folder takes on the disk, or -1. */
long long files_size(const char *path);

#endif
