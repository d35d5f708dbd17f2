#include "reporting/rules/service_level.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>

#define PREFIX "service_level."
#define VERSION "@1"

static const char *const names[SERVICE_LEVELS] = {
    [ABANDONS_COUNT_FOR] = PREFIX "abandons_count_for" VERSION,
    [ABANDONS_COUNT_AGAINST] = PREFIX "abandons_count_against" VERSION,
    [ABANDONS_IGNORED] = PREFIX "abandons_ignored" VERSION,
    [ANSWERED_ONLY] = PREFIX "answered_only" VERSION,
    [SWITCHABLE] = PREFIX "switchable" VERSION,
};

static int64_t switchable_whole(const struct counts *counts,
                                const struct service_level_switches *switches)
{
    int64_t whole = counts->answered;

    if (!switches->exclude_abandons) {
        whole += counts->abandoned;
        if (switches->exclude_short)
            whole -= counts->short_abandoned;
    }
    if (switches->include_left)
        whole += counts->left_otherwise;
    return whole;
}

struct ratio service_level_of(enum service_level definition, const struct counts *counts,
                              const struct service_level_switches *switches)
{
    int64_t in_time = counts->answered_within;
    int64_t all = counts->answered + counts->abandoned;

    switch (definition) {
    case ABANDONS_COUNT_FOR:
        return (struct ratio){in_time + counts->abandoned_within, all};
    case ABANDONS_COUNT_AGAINST:
        return (struct ratio){in_time, all};
    case ABANDONS_IGNORED:
        return (struct ratio){in_time, all - counts->abandoned_within};
    case ANSWERED_ONLY:
        return (struct ratio){in_time, counts->answered};
    case SWITCHABLE:
        return (struct ratio){in_time, switchable_whole(counts, switches)};
    case SERVICE_LEVELS:
        break;
    }
    return (struct ratio){0, 0};
}

int service_level_parse(const char *name, enum service_level *ret_definition)
{
    for (size_t i = 0; i < SERVICE_LEVELS; i++) {
        const char *bare = names[i] + strlen(PREFIX);
        size_t bare_len = strlen(bare) - strlen(VERSION);
        const char *asked =
            strncmp(name, PREFIX, strlen(PREFIX)) == 0 ? name + strlen(PREFIX) : name;

        if (strncmp(asked, bare, bare_len) != 0)
            continue;
        if (asked[bare_len] != '\0' && strcmp(asked + bare_len, VERSION) != 0)
            continue;
        *ret_definition = (enum service_level)i;
        return 0;
    }
    return -EINVAL;
}

const char *service_level_name(enum service_level definition)
{
    return names[definition];
}
