/* objection - see the header. */
#include "feedback/rules/objection.h"

#include "base/fold.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

int objection_set(struct objection *objection, const char *field, const char *detail, ...)
{
    va_list args;

    va_start(args, detail);
    (void)snprintf(objection->field, sizeof(objection->field), "%s", field);
    (void)vsnprintf(objection->detail, sizeof(objection->detail), detail, args);
    va_end(args);
    return -EINVAL;
}

int objection_length(struct objection *objection, const char *field, const char *text, size_t min,
                     size_t max)
{
    size_t count = fold_characters(text);

    if (count > max) {
        return objection_set(objection, field, "There are %zu characters here; at most %zu fit.",
                             count, max);
    }
    if (count < min) {
        return objection_set(
            objection, field,
            "There are %zu characters here; write at least %zu, in your own words.", count, min);
    }
    return 0;
}
