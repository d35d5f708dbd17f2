#include "reporting/rules/origin.h"

#include <string.h>
#include <strings.h>

static bool names_host(const char *origin, const char *host)
{
    const char *rest = strstr(origin, "://");

    return rest != NULL && host[0] != '\0' && strcasecmp(rest + 3, host) == 0;
}

bool origin_is_ours(const char *origin, const char *sec_fetch_site, const char *host)
{
    /* "none": the user typed it. */
    if (sec_fetch_site[0] != '\0' && strcmp(sec_fetch_site, "same-origin") != 0 &&
        strcmp(sec_fetch_site, "none") != 0)
        return false;
    return origin[0] == '\0' || names_host(origin, host);
}
