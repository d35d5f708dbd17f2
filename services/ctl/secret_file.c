/* secret_file - see secret_file.h. */
#include "ctl/secret_file.h"

#include "ctl/ctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int write_whole(int fd, const char *content)
{
    size_t left = strlen(content);
    while (left > 0) {
        ssize_t wrote = write(fd, content, left);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return -errno;
        content += wrote;
        left -= (size_t)wrote;
    }
    return fsync(fd) < 0 ? -errno : 0;
}

int secret_file_create(const char *path, mode_t mode, const char *content)
{
    char temporary[CTL_PATH_SIZE];
    if (ctl_path(temporary, "%s.new-%ld", path, (long)getpid()) < 0)
        return -ENAMETOOLONG;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
    if (fd < 0)
        return -errno;
    int error = write_whole(fd, content);
    if (close(fd) < 0 && error == 0)
        error = -errno;
    if (error == 0 && link(temporary, path) < 0)
        error = -errno;
    (void)unlink(temporary);
    return error;
}

int secret_file_read(const char *path, char *line, size_t size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return -errno;
    int error = 0;
    if (fgets(line, (int)size, file) == NULL)
        error = ferror(file) != 0 ? -EIO : -ENODATA;
    (void)fclose(file);
    if (error < 0)
        return error;
    size_t len = strcspn(line, "\r\n");
    if (line[len] == '\0' && len + 1 == size)
        return -ENOSPC;
    line[len] = '\0';
    return 0;
}
