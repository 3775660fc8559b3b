/* Files: mapped for reading, read whole under a ceiling, written whole or not at all. */
#ifndef NT_BASE_FILE_H
#define NT_BASE_FILE_H

#include <stddef.h>

#include "base/status.h"

typedef struct nt_map {
    const unsigned char *data; /* [n]; NULL for an empty file */
    size_t n;
} nt_map;

/* Maps a regular file for reading. Errors: NOT_FOUND, IO (with the system's reason). */
int nt_map_open(nt_map *out, const char *path);
void nt_map_close(nt_map *map);
/* Gives back the memory that the bytes read so far take up; those that are read again come from the
 * file again. */
void nt_map_forget(const nt_map *map);

/* The whole file, zero-ended, for nt_free. More than max bytes is NT_E_FORMAT. */
int nt_file_read(char **out, size_t *n, const char *path, size_t max);

typedef enum nt_file_kind {
    NT_FILE_NONE,
    NT_FILE_REGULAR,
    NT_FILE_FOLDER,
    NT_FILE_OTHER
} nt_file_kind;
nt_file_kind nt_file_look(const char *path);

/* folder + "/" + name, for nt_free; NULL when memory ends. */
char *nt_path_join(const char *folder, const char *name);
/* The folder part of a path ("." when there is none), for nt_free; NULL when memory ends. */
char *nt_path_folder(const char *path);

/* Where a checkpoint lives that is named by its folder or by a file in it: the folder, for nt_free;
 * NULL when memory ends. */
char *nt_path_home(const char *path);

/* Writes a file whole or not at all: fill writes to the descriptor of a new file, which is then
 * synced and put in the place of path. fill returns a status. Where the system has nameless files
 * (O_TMPFILE), a process that is killed in between leaves nothing behind; elsewhere a .tmp file. */
int nt_file_replace(const char *path, int (*fill)(void *payload, int fd), void *payload);
/* The same for a file that holds bytes [n]. */
int nt_file_write(const char *path, const char *bytes, size_t n);

#endif
