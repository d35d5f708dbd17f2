/* edge_atom - the newest posts of the wall as a feed for readers of news. They sign in with a
 * token, as Bearer or as the password of HTTP Basic, or with the page's cookie. */
#ifndef MOMENT_REPORTING_EDGE_ATOM_H
#define MOMENT_REPORTING_EDGE_ATOM_H

#include "io/http.h"

void atom_show(void *state, struct http_request *request);

#endif
