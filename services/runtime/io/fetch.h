/* fetch - POST to somebody else's HTTP server, inside our loop.
 *
 * For addresses that people typed in: http and https only, TLS verified, no redirects, no proxy, no
 * cookies, HTTP/1.1. A request ends within FETCH_TOTAL_MS, of which FETCH_CONNECT_MS to connect;
 * FETCH_ANSWER_MAX of the answer are read and thrown away, then it counts as heard. Unless
 * allows_private, a connection is only made to addresses of the public internet (base/netaddr.h),
 * asked after the name was resolved, of each address: nobody is lent our place in the network.
 *
 * At most in_flight_max requests at once, each of at most FETCH_BODY_MAX. Names are resolved off
 * the loop. The only file that includes libcurl is fetch.c. Loop thread only. */
#ifndef MOMENT_IO_FETCH_H
#define MOMENT_IO_FETCH_H

#include "base/text.h"
#include "io/loop.h"

#define FETCH_TOTAL_MS 10000
#define FETCH_CONNECT_MS 5000
#define FETCH_ANSWER_MAX (64 * 1024)
#define FETCH_BODY_MAX (8 * 1024 * 1024)
#define FETCH_URL_MAX 2000

struct fetcher;
struct fetch;

struct fetcher_options {
    size_t in_flight_max;
    bool allows_private;
    const char *ca_file; /* PEM of who may vouch for servers; "": the system's */
};

struct fetch_request {
    const char *url;
    const char *const *headers; /* "name: value" */
    size_t header_count;
    struct slice body;
};

struct fetch_answer {
    uint32_t status;        /* HTTP; 0: there was no answer */
    uint32_t retry_after_s; /* what the server asked for; 0: nothing */
    bool was_private;       /* refused: the name leads to an address that is not public */
    char trouble[200];      /* a sentence if status is 0, else "" */
};

/* The fetch is gone after it. Never from inside fetch_post. */
typedef void fetch_fn(void *arg, const struct fetch_answer *answer);

/* Options are copied. -ENOMEM, -EIO. */
must_check int fetcher_open(struct loop *loop, const struct fetcher_options *options,
                            struct fetcher **ret_fetcher);
/* What is under way is dropped: no fetch_fn is called. */
void fetcher_close(struct fetcher **fetcher);

/* Everything of the request is copied. -EBUSY: as many as may be are under way; -EMSGSIZE: the
 * body; -EINVAL: the URL; -ENOMEM. */
must_check int fetch_post(struct fetcher *fetcher, const struct fetch_request *request,
                          fetch_fn *on_answer, void *arg, struct fetch **ret_fetch);
/* on_answer is not called any more. Accepts null in it. */
void fetch_cancel(struct fetch **fetch);

/* Null if such a URL may be fetched, else the sentence why not: by the parser that will be used.
 * A name is not resolved here. */
const char *fetch_url_fault(const char *url, bool allows_private);

#endif
