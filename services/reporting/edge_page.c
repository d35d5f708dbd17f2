#include "reporting/edge_page.h"

#include "reporting/reporting.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The document is part of the program, so that the two can not differ. */
__asm__(".pushsection .rodata\n"
        ".global openapi_json\n"
        ".global openapi_json_end\n"
        "openapi_json:\n"
        ".incbin \"services/reporting/openapi.json\"\n"
        "openapi_json_end:\n"
        ".popsection\n");
extern const char openapi_json[];
extern const char openapi_json_end[];

static const char policy[] =
    "default-src 'none'; script-src 'self'; worker-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self' data:; font-src 'self'; manifest-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'";

static const char not_built[] =
    "The web page has not been built. Run `make web`, or set web_root to where it is, and reload.\n"
    "The API works without it: /api/openapi.json describes it.\n";

/* Names with a hash in them never change their content. */
#define IMMUTABLE "public, max-age=31536000, immutable"
#define REVALIDATE "no-cache"

char *page_find_root(const char *setting)
{
    char path[PATH_MAX];
    char *root = NULL;

    if (setting[0] != '\0')
        return strdup(setting);
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);

    if (len <= 0)
        return strdup("build/web");
    path[len] = '\0';
    char *slash = strrchr(path, '/');

    if (slash != NULL)
        *slash = '\0';
    return asprintf(&root, "%s/../web", path) < 0 ? NULL : root;
}

static void protect(struct http_request *request)
{
    http_add_header(request, "Content-Security-Policy", policy);
    http_add_header(request, "Referrer-Policy", "no-referrer");
    http_add_header(request, "Cross-Origin-Opener-Policy", "same-origin");
    http_add_header(request, "Cross-Origin-Resource-Policy", "same-origin");
    http_add_header(request, "Permissions-Policy",
                    "camera=(), microphone=(), geolocation=(), payment=()");
}

static bool is_file(const char *root, const char *path)
{
    char full[PATH_MAX];
    int len = snprintf(full, sizeof(full), "%s/%s", root, path);

    return len > 0 && (size_t)len < sizeof(full) && access(full, R_OK) == 0;
}

void page_show(void *state, struct http_request *request)
{
    const struct reporting *reporting = state;
    const char *path = http_path(request) + 1;
    const char *name = strrchr(path, '/');

    if (strncmp(path, "api/", 4) == 0) {
        http_problem(request, 404, "not-found", NULL,
                     "There is no such path; see /api/openapi.json.");
        return;
    }
    protect(request);
    if (!is_file(reporting->web_root, "index.html")) {
        http_reply(request, 404, "text/plain; charset=utf-8", not_built, strlen(not_built));
        return;
    }
    /* A path without a suffix is a view of the page; the page itself knows it. */
    if (path[0] == '\0' || strchr(name != NULL ? name : path, '.') == NULL)
        http_file(request, reporting->web_root, "index.html", REVALIDATE);
    else
        http_file(request, reporting->web_root, path,
                  strncmp(path, "assets/", 7) == 0 ? IMMUTABLE : REVALIDATE);
}

void page_show_api(void *state, struct http_request *request)
{
    (void)state;
    http_add_header(request, "Cache-Control", REVALIDATE);
    http_reply(request, 200, "application/json", openapi_json,
               (uintptr_t)openapi_json_end - (uintptr_t)openapi_json);
}
