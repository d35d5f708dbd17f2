/* log_file - see log_file.h. */
#include "ctl/log_file.h"

#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static void reopen(struct log_file *file)
{
    struct stat is;
    file->fd = open(file->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    file->bytes = file->fd >= 0 && fstat(file->fd, &is) == 0 ? (long)is.st_size : 0;
}

static void turn(struct log_file *file)
{
    char old[CTL_PATH_SIZE + 2];
    log_file_close(file);
    (void)snprintf(old, sizeof(old), "%s.1", file->path);
    (void)rename(file->path, old);
    reopen(file);
}

void log_file_open(struct log_file *file, const char *path)
{
    (void)text_copy(file->path, sizeof(file->path), path);
    reopen(file);
}

void log_file_write(struct log_file *file, const char *bytes, size_t len)
{
    if (file->fd < 0)
        reopen(file);
    if (file->fd < 0 || len == 0)
        return;
    ssize_t wrote = write(file->fd, bytes, len);
    file->bytes += wrote > 0 ? wrote : 0;
    /* Twice over is past waiting for a line's end. */
    bool at_line_end = bytes[len - 1] == '\n';
    if (file->bytes > LOG_FILE_BYTES_MAX && (at_line_end || file->bytes > 2 * LOG_FILE_BYTES_MAX))
        turn(file);
}

void log_file_close(struct log_file *file)
{
    if (file->fd >= 0)
        (void)close(file->fd);
    file->fd = -1;
}
