/* objection - saying the one thing that is wrong. Pure; thread safe. */
#ifndef MOMENT_FEEDBACK_OBJECTION_H
#define MOMENT_FEEDBACK_OBJECTION_H

#include "feedback/rules/standard.h"

#define OBJECTION_FIELD_SIZE sizeof(((struct objection *)NULL)->field)

/* Returns -EINVAL, so that a check can end with it. */
int objection_set(struct objection *objection, const char *field, const char *detail, ...)
    printf_like(3, 4);
/* At least min and at most max characters, without the space around them: 0, or what is wrong. */
must_check int objection_length(struct objection *objection, const char *field, const char *text,
                                size_t min, size_t max);

#endif
