/* macros - the handful of compiler attributes and idioms used everywhere. */
#ifndef MOMENT_BASE_MACROS_H
#define MOMENT_BASE_MACROS_H

#define must_check __attribute__((warn_unused_result))
#define printf_like(format_index, first) __attribute__((format(printf, format_index, first)))
#define cleanup_with(function) __attribute__((cleanup(function)))
#define unused_arg __attribute__((unused))

#define countof(array) (sizeof(array) / sizeof((array)[0]))

/* The struct of which pointer is the given member. */
#define container_of(pointer, type, member)                                                        \
    ((type *)(void *)((char *)(pointer)-offsetof(type, member)))

#endif
