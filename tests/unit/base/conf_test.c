#include "base/conf.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static const struct conf_row rows[] = {
    {.name = "site", .type = CONF_TEXT, .fallback = "main", .help = "Name of this site."},
    {.name = "database", .type = CONF_TEXT, .help = "How to reach PostgreSQL."},
    {.name = "database_password", .type = CONF_SECRET, .fallback = "", .help = "Its password."},
    {.name = "ring_bytes",
     .type = CONF_INTEGER,
     .fallback = "4096",
     .min = 1024,
     .max = 1048576,
     .unit = "bytes",
     .help = "Memory for recent records."},
    {.name = "log_level", .type = CONF_TEXT, .fallback = "info", .help = "Level.", .reloads = true},
};
static const struct conf_row more_rows[] = {
    {.name = "bus_address",
     .type = CONF_ADDRESS,
     .fallback = "tcp://127.0.0.1:7101",
     .help = "Bus."},
    {.name = "peer", .type = CONF_ADDRESS, .fallback = "", .help = "A peer."},
    {.name = "secure", .type = CONF_BOOLEAN, .fallback = "yes", .help = "Safe?", .reloads = true},
};
static const struct conf_row *const tables[] = {rows, more_rows};
static const size_t counts[] = {countof(rows), countof(more_rows)};

static struct {
    char file[64];
    char secret[64];
    char error[512];
    struct conf *conf;
} t;

static void put(const char *path, const char *text)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int start(void **state)
{
    (void)state;
    memset(&t, 0, sizeof t);
    strcpy(t.file, "/tmp/conf_test.XXXXXX");
    strcpy(t.secret, "/tmp/conf_test.XXXXXX");
    close(mkstemp(t.file));
    close(mkstemp(t.secret));
    return 0;
}

static int stop(void **state)
{
    (void)state;
    static const char *const variables[] = {"MOMENT_SITE", "MOMENT_DATABASE", "MOMENT_RING_BYTES",
                                            "MOMENT_DATABASE_PASSWORD",
                                            "MOMENT_DATABASE_PASSWORD_FILE"};
    for (size_t i = 0; i < countof(variables); i++)
        unsetenv(variables[i]);
    conf_free(&t.conf);
    unlink(t.file);
    unlink(t.secret);
    return 0;
}

static int load(const char *text)
{
    put(t.file, text);
    return conf_load(tables, counts, 2, t.file, &t.conf, t.error, sizeof t.error);
}

static void later_layers_win(void **state)
{
    (void)state;
    put(t.secret, "from the file\n");
    setenv("MOMENT_RING_BYTES", "8192", 1);
    setenv("MOMENT_DATABASE_PASSWORD", "from the environment", 1);
    setenv("MOMENT_DATABASE_PASSWORD_FILE", t.secret, 1);
    assert_int_equal(load("# a comment\n\n SITE = berlin \r\nDATABASE=\"dbname=moment \"\n"
                          "MOMENT_LOG_LEVEL=debug\nRING_BYTES=2048"),
                     0);
    assert_string_equal(conf_text(t.conf, "site"), "berlin");
    assert_string_equal(conf_text(t.conf, "database"), "dbname=moment ");
    assert_string_equal(conf_text(t.conf, "database_password"), "from the file");
    assert_int_equal(conf_integer(t.conf, "ring_bytes"), 8192);
    assert_string_equal(conf_text(t.conf, "log_level"), "debug");
    assert_string_equal(conf_text(t.conf, "peer"), "");
    assert_true(conf_boolean(t.conf, "secure"));
}

static void assert_refused(const char *text, const char *sentence)
{
    assert_int_equal(load(text), -EINVAL);
    assert_null(t.conf);
    if (!strstr(t.error, sentence))
        fail_msg("\"%s\" does not say \"%s\"", t.error, sentence);
}

static void an_error_names_line_and_setting(void **state)
{
    (void)state;
    assert_refused("DATABASE=x\nNONSENSE=1\n", ":2: no such setting: NONSENSE");
    assert_refused("DATABASE=x\nsite=1\n", ":2: no such setting: site");
    assert_refused("DATABASE=x\n\nRING_BYTES=1\n",
                   ":3: RING_BYTES=1 is not a whole number from 1024 to 1048576");
    assert_refused("DATABASE=x\nRING_BYTES=2k\n", "RING_BYTES=2k");
    assert_refused("DATABASE=x\nSECURE=maybe\n", "SECURE=maybe is neither true nor false");
    assert_refused("DATABASE=x\nBUS_ADDRESS=here\n", "BUS_ADDRESS=here is not host:port");
    assert_refused("DATABASE=x\nBUS_ADDRESS=\n", "BUS_ADDRESS= must not be empty");
    assert_refused("DATABASE=x\nSITE=a\nSITE=b\n", ":3: SITE is set twice");
    assert_refused("DATABASE=x\nSITE\n", ":2: is not NAME=value");
    assert_refused("SITE=x\n", "DATABASE is required: How to reach PostgreSQL.");
    assert_refused("DATABASE=\n", "DATABASE= must not be empty");
    assert_refused("DATABASE=a\x01z\n", "not one line of UTF-8");
    assert_refused("DATABASE=\xff\n", "not one line of UTF-8");
    assert_refused("DATABASE=x\nRING_BYTES_FILE=/x\n", "no such setting: RING_BYTES_FILE");
    assert_int_equal(load("DATABASE=x\nSITE_FILE=/nonexistent/x\n"), -ENOENT);
    assert_non_null(strstr(t.error, "/nonexistent/x"));
}

static void a_missing_file_is_named(void **state)
{
    (void)state;
    unlink(t.file);
    assert_int_equal(conf_load(tables, counts, 2, t.file, &t.conf, t.error, sizeof t.error),
                     -ENOENT);
    assert_non_null(strstr(t.error, t.file));
    setenv("MOMENT_DATABASE", "x", 1);
    assert_int_equal(conf_load(tables, counts, 2, NULL, &t.conf, t.error, sizeof t.error), 0);
}

static void addresses_have_a_host_and_a_port(void **state)
{
    (void)state;
    static const char *const good[] = {"127.0.0.1:80", "[::1]:80",         "tcp://hq.example:7101",
                                       "tcp://*:7101", "tcp://[::1]:7101", "ipc:///run/x",
                                       "localhost:0"};
    static const char *const bad[] = {"127.0.0.1", ":80",     "::1:80", "a:65536",
                                      "a:-1",      "tcp://a", "a:b"};
    for (size_t i = 0; i < countof(good); i++) {
        char text[128];
        snprintf(text, sizeof text, "DATABASE=x\nPEER=%s\n", good[i]);
        assert_int_equal(load(text), 0);
        conf_free(&t.conf);
    }
    for (size_t i = 0; i < countof(bad); i++) {
        char text[128];
        snprintf(text, sizeof text, "DATABASE=x\nPEER=%s\n", bad[i]);
        assert_refused(text, "PEER=");
    }
}

static void a_reload_takes_what_may_change_and_counts_the_rest(void **state)
{
    (void)state;
    size_t pending = 99;
    assert_int_equal(load("DATABASE=x\nSITE=a\n"), 0);
    put(t.file, "DATABASE=y\nSITE=b\nLOG_LEVEL=warn\nSECURE=off\n");
    assert_int_equal(conf_reload(t.conf, &pending, t.error, sizeof t.error), 0);
    assert_int_equal(pending, 2);
    assert_string_equal(conf_text(t.conf, "site"), "a");
    assert_string_equal(conf_text(t.conf, "log_level"), "warn");
    assert_false(conf_boolean(t.conf, "secure"));

    put(t.file, "DATABASE=x\nSITE=a\nLOG_LEVEL=error\nRING_BYTES=1\n");
    assert_int_equal(conf_reload(t.conf, &pending, t.error, sizeof t.error), -EINVAL);
    assert_string_equal(conf_text(t.conf, "log_level"), "warn");
    assert_int_equal(conf_integer(t.conf, "ring_bytes"), 4096);
}

static void what_is_printed_hides_secrets_and_shows_origins(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    setenv("MOMENT_SITE", "env", 1);
    assert_int_equal(load("DATABASE=x\nDATABASE_PASSWORD=hush\n"), 0);
    FILE *out = open_memstream(&text, &len);
    conf_print(t.conf, out);
    fclose(out);
    assert_null(strstr(text, "hush"));
    assert_non_null(strstr(text, "DATABASE_PASSWORD=********  # "));
    assert_non_null(strstr(text, "SITE=env  # MOMENT_SITE\n"));
    assert_non_null(strstr(text, "RING_BYTES=4096  # default\n"));
    assert_non_null(strstr(text, ":1\n"));
    free(text);
}

static void an_error_about_a_secret_does_not_show_it(void **state)
{
    (void)state;
    assert_refused("DATABASE=x\nDATABASE_PASSWORD=hu\x01sh\n", "DATABASE_PASSWORD is not one line");
    assert_null(strstr(t.error, "hu\x01sh"));
}

static void the_table_is_made_from_the_rows(void **state)
{
    (void)state;
    char *text = NULL;
    size_t len = 0;
    FILE *out = open_memstream(&text, &len);
    conf_document(rows, countof(rows), out);
    fclose(out);
    assert_non_null(strstr(text,
                           "| `RING_BYTES` | number 1024 to 1048576 bytes | `4096` | at start "
                           "| Memory for recent records. |\n"));
    assert_non_null(strstr(text, "| `DATABASE` | text | *required* |"));
    assert_non_null(strstr(text, "| `LOG_LEVEL` | text | `info` | on SIGHUP | Level. |\n"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(later_layers_win, start, stop),
        cmocka_unit_test_setup_teardown(an_error_names_line_and_setting, start, stop),
        cmocka_unit_test_setup_teardown(a_missing_file_is_named, start, stop),
        cmocka_unit_test_setup_teardown(addresses_have_a_host_and_a_port, start, stop),
        cmocka_unit_test_setup_teardown(a_reload_takes_what_may_change_and_counts_the_rest, start,
                                        stop),
        cmocka_unit_test_setup_teardown(what_is_printed_hides_secrets_and_shows_origins, start,
                                        stop),
        cmocka_unit_test_setup_teardown(an_error_about_a_secret_does_not_show_it, start, stop),
        cmocka_unit_test(the_table_is_made_from_the_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
