/* whole_file - a file, or stdin, read to its end with a bound. */
#ifndef MOMENT_CTL_WHOLE_FILE_H
#define MOMENT_CTL_WHOLE_FILE_H

#include "base/buf.h"
#include "base/macros.h"

/* What one call can carry. */
#define WHOLE_FILE_BYTES_MAX ((size_t)4 * 1000 * 1000)

/* path "-" is stdin. Fills buf, which the caller frees with buf_done in any case. CTL_OK, or
 * CTL_FAILED after saying why. */
must_check int whole_file_read(const char *path, struct buf *buf);

#endif
