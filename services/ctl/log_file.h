/* log_file - a log on disk with a bound: at the limit it becomes <path>.1 and starts anew, so at
 * most twice the limit is kept. A full disk loses lines, never stops the writer. */
#ifndef MOMENT_CTL_LOG_FILE_H
#define MOMENT_CTL_LOG_FILE_H

#include "ctl/ctl.h"

#include <stddef.h>

#define LOG_FILE_BYTES_MAX (8L * 1024 * 1024)

struct log_file {
    char path[CTL_PATH_SIZE];
    int fd; /* -1: could not be opened; tried again with the next write */
    long bytes;
};

void log_file_open(struct log_file *file, const char *path);
/* bytes should end at a line's end as often as possible: that is where the file is turned. */
void log_file_write(struct log_file *file, const char *bytes, size_t len);
void log_file_close(struct log_file *file);

#endif
