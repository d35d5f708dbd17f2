/* origin - did our own page ask for this write, or another site with our user's cookie?
 *
 * Pure. Browsers tell by Sec-Fetch-Site and Origin; a client that sends neither has no cookies that
 * anybody could borrow. */
#ifndef MOMENT_REPORTING_ORIGIN_H
#define MOMENT_REPORTING_ORIGIN_H

#include <stdbool.h>

/* Headers as received, "" if absent. */
bool origin_is_ours(const char *origin, const char *sec_fetch_site, const char *host);

#endif
