/*
 * Folders of our own: made private, copied, removed.  All of these are to be called within child_do().
 */
#ifndef MIG_SCRATCH_FILES_H
#define MIG_SCRATCH_FILES_H

/*
 * Makes a folder, with those above it, or takes the one that is there, which has to be a real folder of ours; nobody
 * else may look into it then.  Returns 0, or an errno; EEXIST: there is something else of that name, or somebody else's.
 */
int files_private_folder(const char *path);

/* Copies a folder to `to`, which must not be there.  Regular files and folders alone; links and sockets are left out.  0, or an errno. */
int files_copy(const char *from, const char *to);

/* Removes a file or a folder with all that is in it; links are not followed.  0, also where there is none; or an errno. */
int files_remove(const char *path);

#endif
