#include "io/settings.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PEER(service, port)                                                                        \
    {                                                                                              \
        .name = "peer_" service, .type = CONF_ADDRESS, .fallback = "tcp://127.0.0.1:" port,        \
        .help = "Where " service " listens for its peers."                                         \
    }

/* Every service can start on one machine without any setting, if the default places are free. */
static const struct {
    const char *service;
    const char *bus;
    const char *admin;
    const char *http;
} places[] = {
    {"ingest", "tcp://127.0.0.1:7101", "127.0.0.1:9101", "127.0.0.1:8081"},
    {"feedback", "tcp://127.0.0.1:7102", "127.0.0.1:9102", ""},
    {"recognition", "tcp://127.0.0.1:7103", "127.0.0.1:9103", ""},
    {"reporting", "tcp://127.0.0.1:7104", "127.0.0.1:9104", "127.0.0.1:8080"},
};

static const struct conf_row common[] = {
    {.name = "site",
     .type = CONF_TEXT,
     .fallback = "main",
     .help = "The site that this process writes for."},
    {.name = "database",
     .type = CONF_TEXT,
     .help = "libpq connection string, keyword form, with a socket directory or hostaddr."},
    {.name = "database_password",
     .type = CONF_SECRET,
     .fallback = "",
     .help = "Password for the database, if it asks for one."},
    {.name = "keys_dir",
     .type = CONF_PATH,
     .fallback = "/etc/moment/keys",
     .help = "CURVE keys and the allow list; `momentctl init` makes them."},
    {.name = "bus_address",
     .type = CONF_ADDRESS,
     .help = "ZeroMQ address on which peers are served."},
    PEER("ingest", "7101"),
    PEER("feedback", "7102"),
    PEER("recognition", "7103"),
    PEER("reporting", "7104"),
    {.name = "admin_address",
     .type = CONF_ADDRESS,
     .help = "/livez, /readyz and /metrics; keep it private, nobody has to log in there."},
    {.name = "log_level",
     .type = CONF_TEXT,
     .fallback = "info",
     .help = "debug, info, warn or error.",
     .reloads = true},
    {.name = "ring_bytes",
     .type = CONF_INTEGER,
     .fallback = "4194304",
     .min = 65536,
     .max = 1073741824,
     .unit = "bytes",
     .help = "Newest records kept in memory for consumers; older ones are read from the table."},
    {.name = "queue_bytes",
     .type = CONF_INTEGER,
     .fallback = "33554432",
     .min = 1048576,
     .max = 1073741824,
     .unit = "bytes",
     .help = "Work that may wait for a transaction; more is refused."},
    {.name = "drain_ms",
     .type = CONF_INTEGER,
     .fallback = "10000",
     .min = 100,
     .max = 600000,
     .unit = "ms",
     .help = "How long SIGTERM waits for queued work before the process gives up.",
     .reloads = true},
};
static const struct conf_row http_rows[] = {
    {.name = "http_address", .type = CONF_ADDRESS, .help = "Address of the public HTTP listener."},
    {.name = "http_connections",
     .type = CONF_INTEGER,
     .fallback = "256",
     .min = 4,
     .max = 20000,
     .help = "HTTP connections at once; more wait in the kernel's queue."},
};

static void set_fallback(struct conf_row *rows, size_t count, const char *name, const char *value)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(rows[i].name, name) == 0) {
            rows[i].fallback = value;
        }
    }
}

static void place(struct conf_row *rows, size_t count, const char *service)
{
    static char database[160];

    snprintf(database, sizeof(database), "host=/var/run/postgresql dbname=moment user=moment_%s",
             service);
    set_fallback(rows, count, "database", database);
    for (size_t i = 0; i < countof(places); i++) {
        if (strcmp(places[i].service, service) == 0) {
            set_fallback(rows, count, "bus_address", places[i].bus);
            set_fallback(rows, count, "admin_address", places[i].admin);
            set_fallback(rows, count, "http_address", places[i].http);
        }
    }
}

const struct conf_row *settings_rows(const char *service, bool serves_http, size_t *ret_count)
{
    static struct conf_row rows[SETTINGS_MAX];
    size_t count = countof(common);

    static_assert(countof(common) + countof(http_rows) <= SETTINGS_MAX, "SETTINGS_MAX is too low");
    memcpy(rows, common, sizeof(common));
    if (serves_http) {
        memcpy(rows + count, http_rows, sizeof(http_rows));
        count += countof(http_rows);
    }
    place(rows, count, service);
    *ret_count = count;
    return rows;
}

static size_t quote_for_dsn(const char *from, char *to, size_t size)
{
    size_t len = 0;

    for (; *from && len + 3 < size; from++) {
        if (*from == '\'' || *from == '\\') {
            to[len++] = '\\';
        }
        to[len++] = *from;
    }
    to[len] = '\0';
    return *from ? size : len;
}

int settings_dsn(const struct conf *conf, char *to, size_t size)
{
    const char *password = conf_text(conf, "database_password");
    char quoted[512] = "";
    int len;

    if (quote_for_dsn(password, quoted, sizeof(quoted)) >= sizeof(quoted)) {
        return -ENAMETOOLONG;
    }
    len = password[0] ? snprintf(to, size, "%s password='%s'", conf_text(conf, "database"), quoted)
                      : snprintf(to, size, "%s", conf_text(conf, "database"));
    return len < 0 || (size_t)len >= size ? -ENAMETOOLONG : 0;
}

const char *settings_peer_address(const struct conf *conf, const char *peer)
{
    char name[64];

    snprintf(name, sizeof(name), "peer_%s", peer);
    return conf_text(conf, name);
}
