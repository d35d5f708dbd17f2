/* edge_page - the web page's files, and the description of the API that is built into the program.
 */
#ifndef MOMENT_REPORTING_EDGE_PAGE_H
#define MOMENT_REPORTING_EDGE_PAGE_H

#include "io/http.h"

void page_show(void *state, struct http_request *request);
void page_show_api(void *state, struct http_request *request);
/* The setting, or build/web beside the program's own folder. malloc'd. */
char *page_find_root(const char *setting);

#endif
