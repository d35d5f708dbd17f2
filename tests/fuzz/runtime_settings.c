/* A settings file: read, or refused with a sentence. */
#include "fuzz.h"

#include "base/conf.h"
#include "base/text.h"

#include <sys/mman.h>
#include <unistd.h>

static const struct conf_row rows[] = {
    {.name = "site", .type = CONF_TEXT, .fallback = "main", .help = "Text."},
    {.name = "queue_bytes",
     .type = CONF_INTEGER,
     .fallback = "10",
     .min = 1,
     .max = 99,
     .unit = ""},
    {.name = "is_on", .type = CONF_BOOLEAN, .fallback = "yes", .help = "Yes."},
    {.name = "database_password", .type = CONF_SECRET, .fallback = "", .help = "Secret."},
    {.name = "keys_dir", .type = CONF_PATH, .fallback = "/tmp", .help = "Path."},
    {.name = "bus_address", .type = CONF_ADDRESS, .fallback = "tcp://127.0.0.1:1", .help = "A."},
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct conf_row *const tables[] = {rows};
    const size_t counts[] = {sizeof(rows) / sizeof(rows[0])};
    struct conf *conf = NULL;
    char error[256] = "";
    char path[64];
    int fd = memfd_create("settings", 0);

    FUZZ_CHECK(fd >= 0);
    FUZZ_CHECK(write(fd, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    if (conf_load(tables, counts, 1, path, &conf, error, sizeof(error)) == 0) {
        FILE *out = fopen("/dev/null", "w");
        FUZZ_CHECK(out);
        FUZZ_CHECK(conf_integer(conf, "queue_bytes") >= 1 &&
                   conf_integer(conf, "queue_bytes") <= 99);
        FUZZ_CHECK(conf_text(conf, "site"));
        conf_print(conf, out);
        (void)fclose(out);
        conf_free(&conf);
    } else {
        FUZZ_CHECK(error[0]);
    }
    (void)close(fd);
    return 0;
}
