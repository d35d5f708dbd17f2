/* secret_file - small files that only their owner may read, written whole and never replaced.
 *
 * A file appears complete or not at all, also when two writers race: the content goes to a
 * temporary name that is then linked to the real one. Errors are negative errno. */
#ifndef MOMENT_CTL_SECRET_FILE_H
#define MOMENT_CTL_SECRET_FILE_H

#include "base/macros.h"

#include <stddef.h>
#include <sys/types.h>

/* -EEXIST: it is there already and was left alone. */
must_check int secret_file_create(const char *path, mode_t mode, const char *content);
/* The first line, without its line end. -ENOSPC if it does not fit. */
must_check int secret_file_read(const char *path, char *line, size_t size);

#endif
