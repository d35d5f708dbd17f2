/* fetch - see the header. libcurl says which sockets and which timeout it waits for; libuv waits.
 *
 * curl_multi_socket_action may end any number of requests; their owners hear of it after it has
 * returned, since from inside its callbacks libcurl may not be called. */
#include "io/fetch.h"

#include "base/netaddr.h"

#include <assert.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <uv.h>

#define IDLE_CONNECTIONS_MAX 8L
#define AGENT "moment"

struct watch {
    struct watch *next;
    struct fetcher *fetcher; /* borrowed */
    uv_poll_t poll;
    curl_socket_t socket;
};

struct fetch {
    struct fetch *next;
    struct fetcher *fetcher; /* borrowed */
    CURL *easy;              /* owned */
    struct curl_slist *headers;
    fetch_fn *on_answer;
    void *arg;
    size_t heard; /* bytes of the answer */
    bool is_full; /* as much as we want to hear */
    bool was_private;
    char error[CURL_ERROR_SIZE];
};

struct fetcher {
    struct loop *loop;
    CURLM *multi;          /* owned */
    struct timer *timer;   /* owned: libcurl's one timeout */
    struct watch *watches; /* owned, each freed when libuv is done with it */
    struct fetch *fetches; /* owned */
    size_t in_flight;
    size_t in_flight_max;
    bool allows_private;
    char *ca_file;
};

/* --- the sockets and the timeout of libcurl, in the loop --- */

static void hear_ends(struct fetcher *fetcher);

static void act(struct fetcher *fetcher, curl_socket_t socket, int events)
{
    int running = 0;

    curl_multi_socket_action(fetcher->multi, socket, events, &running);
    hear_ends(fetcher); /* may close the fetcher */
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;
    int flags = status < 0 ? CURL_CSELECT_ERR : 0;

    flags |= (events & UV_READABLE) != 0 ? CURL_CSELECT_IN : 0;
    flags |= (events & UV_WRITABLE) != 0 ? CURL_CSELECT_OUT : 0;
    act(watch->fetcher, watch->socket, flags);
}

static void on_timeout(void *arg)
{
    act(arg, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timer(CURLM *multi unused_arg, long timeout_ms, void *arg)
{
    struct fetcher *fetcher = arg;

    if (timeout_ms < 0) {
        timer_stop(fetcher->timer);
    } else {
        timer_start(fetcher->timer, (uint64_t)timeout_ms, 0);
    }
    return 0;
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void unwatch(struct watch *watch)
{
    struct watch **link = &watch->fetcher->watches;

    while (*link != watch) {
        link = &(*link)->next;
    }
    *link = watch->next;
    uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
}

static struct watch *watch_new(struct fetcher *fetcher, curl_socket_t socket)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    if (!watch || uv_poll_init_socket(loop_uv(fetcher->loop), &watch->poll, socket) < 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->socket = socket;
    watch->fetcher = fetcher;
    watch->next = fetcher->watches;
    fetcher->watches = watch;
    curl_multi_assign(fetcher->multi, socket, watch);
    return watch;
}

static int on_socket(CURL *easy unused_arg, curl_socket_t socket, int what, void *arg,
                     void *watch_at)
{
    struct fetcher *fetcher = arg;
    struct watch *watch = watch_at;

    if (what == CURL_POLL_REMOVE) {
        if (watch) {
            unwatch(watch);
            curl_multi_assign(fetcher->multi, socket, NULL);
        }
        return 0;
    }
    if (!watch) {
        watch = watch_new(fetcher, socket);
    }
    int events = ((what & CURL_POLL_IN) != 0 ? UV_READABLE : 0) |
                 ((what & CURL_POLL_OUT) != 0 ? UV_WRITABLE : 0);
    return watch && uv_poll_start(&watch->poll, events, on_poll) == 0 ? 0 : -1;
}

/* --- one request --- */

static size_t on_bytes(char *bytes unused_arg, size_t size, size_t count, void *arg)
{
    struct fetch *fetch = arg;

    fetch->heard += size * count;
    fetch->is_full = fetch->heard > FETCH_ANSWER_MAX;
    return fetch->is_full ? 0 : size * count; /* 0 ends it */
}

static curl_socket_t on_open_socket(void *arg, curlsocktype purpose unused_arg,
                                    struct curl_sockaddr *address)
{
    struct fetch *fetch = arg;

    if (!fetch->fetcher->allows_private && !netaddr_is_public(&address->addr)) {
        fetch->was_private = true;
        return CURL_SOCKET_BAD;
    }
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

static void release(struct fetch *fetch)
{
    curl_easy_cleanup(fetch->easy);
    curl_slist_free_all(fetch->headers);
    free(fetch);
}

/* Of one that is under way. */
static void fetch_free(struct fetch *fetch)
{
    struct fetcher *fetcher = fetch->fetcher;
    struct fetch **link = &fetcher->fetches;

    while (*link != fetch) {
        link = &(*link)->next;
    }
    *link = fetch->next;
    fetcher->in_flight--;
    curl_multi_remove_handle(fetcher->multi, fetch->easy);
    release(fetch);
}

static void explain(const struct fetch *fetch, CURLcode code, char *to, size_t size)
{
    if (fetch->was_private) {
        text_copy(to, size, "The name leads to an address that is not on the public internet.");
    } else {
        text_copy(to, size, fetch->error[0] ? fetch->error : curl_easy_strerror(code));
    }
}

static void end(struct fetch *fetch, CURLcode code)
{
    struct fetch_answer answer = {.status = 0};
    fetch_fn *on_answer = fetch->on_answer;
    curl_off_t retry_after_s = 0;
    void *arg = fetch->arg;
    long status = 0;

    curl_easy_getinfo(fetch->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(fetch->easy, CURLINFO_RETRY_AFTER, &retry_after_s);
    if ((code == CURLE_OK || fetch->is_full) && status > 0) {
        answer.status = (uint32_t)status;
        answer.retry_after_s = (uint32_t)(retry_after_s < UINT32_MAX ? retry_after_s : UINT32_MAX);
    } else {
        answer.was_private = fetch->was_private;
        explain(fetch, code, answer.trouble, sizeof(answer.trouble));
    }
    fetch_free(fetch);
    on_answer(arg, &answer);
}

/* An owner may do anything when it hears, also close the fetcher: so one request per turn, and the
 * next one in the next. */
static void hear_ends(struct fetcher *fetcher)
{
    struct fetch *fetch = NULL;
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(fetcher->multi, &left);

    if (!message) {
        return;
    }
    if (left > 0) {
        timer_start(fetcher->timer, 0, 0);
    }
    assert(message->msg == CURLMSG_DONE);
    CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, (char **)&fetch);
    end(fetch, code);
}

static int add_headers(struct fetch *fetch, const struct fetch_request *request)
{
    /* No "Expect: 100-continue": a second round trip for nothing. */
    fetch->headers = curl_slist_append(NULL, "Expect:");
    for (size_t i = 0; fetch->headers && i < request->header_count; i++) {
        struct curl_slist *longer = curl_slist_append(fetch->headers, request->headers[i]);

        if (!longer) {
            return -ENOMEM;
        }
        fetch->headers = longer;
    }
    return fetch->headers ? 0 : -ENOMEM;
}

static void set_limits(CURL *easy)
{
    curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(easy, CURLOPT_PROXY, "");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, 1L);
    curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, 2L);
    curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, (long)FETCH_TOTAL_MS);
    curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)FETCH_CONNECT_MS);
    curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); /* no waiting for the resolver's thread */
}

static void set_callbacks(struct fetch *fetch)
{
    CURL *easy = fetch->easy;

    curl_easy_setopt(easy, CURLOPT_PRIVATE, fetch);
    curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, fetch->error);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
    curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_WRITEDATA, fetch);
    curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_bytes);
    curl_easy_setopt(easy, CURLOPT_HEADERDATA, fetch);
}

static int prepare(struct fetch *fetch, const struct fetch_request *request)
{
    CURL *easy = fetch->easy = curl_easy_init();

    if (!easy || add_headers(fetch, request) < 0) {
        return -ENOMEM;
    }
    set_limits(easy);
    set_callbacks(fetch);
    if (fetch->fetcher->ca_file[0]) {
        curl_easy_setopt(easy, CURLOPT_CAINFO, fetch->fetcher->ca_file);
    }
    curl_easy_setopt(easy, CURLOPT_USERAGENT, AGENT);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER, fetch->headers);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.len);
    if (curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, request->body.at) != CURLE_OK ||
        curl_easy_setopt(easy, CURLOPT_URL, request->url) != CURLE_OK) {
        return -ENOMEM;
    }
    return curl_multi_add_handle(fetch->fetcher->multi, easy) == CURLM_OK ? 0 : -ENOMEM;
}

int fetch_post(struct fetcher *fetcher, const struct fetch_request *request, fetch_fn *on_answer,
               void *arg, struct fetch **ret_fetch)
{
    if (fetch_url_fault(request->url, true)) {
        return -EINVAL;
    }
    if (request->body.len > FETCH_BODY_MAX) {
        return -EMSGSIZE;
    }
    if (fetcher->in_flight == fetcher->in_flight_max) {
        return -EBUSY;
    }
    struct fetch *fetch = calloc(1, sizeof(*fetch));
    if (!fetch) {
        return -ENOMEM;
    }
    fetch->fetcher = fetcher;
    fetch->on_answer = on_answer;
    fetch->arg = arg;
    int rc = prepare(fetch, request);
    if (rc < 0) {
        release(fetch);
        return rc;
    }
    fetch->next = fetcher->fetches;
    fetcher->fetches = fetch;
    fetcher->in_flight++;
    *ret_fetch = fetch;
    return 0;
}

void fetch_cancel(struct fetch **fetch)
{
    if (*fetch) {
        fetch_free(*fetch);
    }
    *fetch = NULL;
}

/* --- URLs --- */

static bool is_private_literal(const char *host)
{
    const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *address = NULL;
    char bare[INET6_ADDRSTRLEN + 2];
    size_t len = strlen(host);

    if (host[0] == '[' && len >= 2 && len < sizeof(bare)) {
        text_copy_slice(bare, sizeof(bare), (struct slice){host + 1, len - 2});
        host = bare;
    }
    if (strcasecmp(host, "localhost") == 0) {
        return true;
    }
    if (getaddrinfo(host, NULL, &hints, &address) != 0) {
        return false; /* a name */
    }
    bool is_public = netaddr_is_public(address->ai_addr);
    freeaddrinfo(address);
    return !is_public;
}

static const char *host_fault(CURLU *parts, bool allows_private)
{
    const char *fault = NULL;
    char *host = NULL;

    if (curl_url_get(parts, CURLUPART_HOST, &host, 0) != CURLUE_OK || host[0] == '\0') {
        fault = "Names no host.";
    } else if (!allows_private && is_private_literal(host)) {
        fault = "The host is not on the public internet.";
    }
    curl_free(host);
    return fault;
}

static bool has_part(CURLU *parts, CURLUPart part)
{
    char *text = NULL;
    bool has = curl_url_get(parts, part, &text, 0) == CURLUE_OK;

    curl_free(text);
    return has;
}

static const char *scheme_fault(CURLU *parts)
{
    char *scheme = NULL;
    bool is_http = curl_url_get(parts, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK &&
                   (strcmp(scheme, "http") == 0 || strcmp(scheme, "https") == 0);

    curl_free(scheme);
    return is_http ? NULL : "Begins with neither https:// nor http://.";
}

const char *fetch_url_fault(const char *url, bool allows_private)
{
    if (strlen(url) > FETCH_URL_MAX) {
        return "At most 2000 bytes.";
    }
    CURLU *parts = curl_url();
    if (!parts) {
        return "Out of memory.";
    }
    const char *fault = NULL;
    if (curl_url_set(parts, CURLUPART_URL, url, 0) != CURLUE_OK) {
        fault = "No URL like https://example.com/hook.";
    } else if (has_part(parts, CURLUPART_USER) || has_part(parts, CURLUPART_PASSWORD)) {
        fault = "Holds a user or a password: everybody who lists the webhooks would read it.";
    } else {
        fault = scheme_fault(parts);
        fault = fault ? fault : host_fault(parts, allows_private);
    }
    curl_url_cleanup(parts);
    return fault;
}

/* --- life --- */

int fetcher_open(struct loop *loop, const struct fetcher_options *options,
                 struct fetcher **ret_fetcher)
{
    struct fetcher *fetcher = calloc(1, sizeof(*fetcher));

    if (!fetcher) {
        return -ENOMEM;
    }
    fetcher->loop = loop;
    fetcher->in_flight_max = options->in_flight_max;
    fetcher->allows_private = options->allows_private;
    fetcher->ca_file = strdup(options->ca_file);
    bool is_ready = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    fetcher->multi = is_ready ? curl_multi_init() : NULL;
    if (!fetcher->ca_file || !fetcher->multi ||
        timer_new(loop, on_timeout, fetcher, &fetcher->timer) < 0) {
        fetcher_close(&fetcher);
        return is_ready ? -ENOMEM : -EIO;
    }
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(fetcher->multi, CURLMOPT_SOCKETDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(fetcher->multi, CURLMOPT_TIMERDATA, fetcher);
    curl_multi_setopt(fetcher->multi, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS_MAX);
    *ret_fetcher = fetcher;
    return 0;
}

void fetcher_close(struct fetcher **fetcher_at)
{
    struct fetcher *fetcher = *fetcher_at;

    if (!fetcher) {
        return;
    }
    *fetcher_at = NULL;
    for (struct fetch *fetch = fetcher->fetches, *next; fetch; fetch = next) {
        next = fetch->next;
        curl_multi_remove_handle(fetcher->multi, fetch->easy);
        release(fetch);
    }
    curl_multi_cleanup(fetcher->multi);
    for (struct watch *watch = fetcher->watches, *next; watch; watch = next) {
        next = watch->next;
        uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
    }
    timer_free(&fetcher->timer);
    free(fetcher->ca_file);
    free(fetcher);
    curl_global_cleanup();
}
