/* whole_file - see whole_file.h. */
#include "ctl/whole_file.h"

#include "ctl/ctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static int read_all(FILE *file, struct buf *buf)
{
    char bytes[8192];
    for (size_t len; (len = fread(bytes, 1, sizeof(bytes), file)) > 0;) {
        int error = buf_append(buf, bytes, len);
        if (error < 0)
            return error;
    }
    return ferror(file) != 0 ? -EIO : 0;
}

int whole_file_read(const char *path, struct buf *buf)
{
    buf_init(buf, WHOLE_FILE_BYTES_MAX);
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    if (file == NULL)
        return ctl_fail("cannot read %s: %s", path, strerror(errno));
    int error = read_all(file, buf);
    if (!is_stdin)
        (void)fclose(file);
    if (error == -EMSGSIZE)
        return ctl_fail("%s is larger than %zu MB; import it in parts", path,
                        WHOLE_FILE_BYTES_MAX / 1000000);
    if (error < 0)
        return ctl_fail("cannot read %s: %s", path, strerror(-error));
    return CTL_OK;
}
