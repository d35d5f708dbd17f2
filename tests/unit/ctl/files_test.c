/* The files that momentctl keeps: secrets that are never replaced, logs that never outgrow their
 * bound, keys and settings that init makes once. */
#include "ctl/commands.h"
#include "ctl/log_file.h"
#include "ctl/secret_file.h"

#include <errno.h>
#include <getopt.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[64];

static int make_folder(void **state)
{
    (void)state;
    (void)snprintf(folder, sizeof(folder), "/tmp/moment-ctl.XXXXXX");
    ctl_set_quiet(true);
    return mkdtemp(folder) == NULL ? -1 : 0;
}

static int remove_folder(void **state)
{
    char command[128];
    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", folder);
    return system(command);
}

static const char *inside(const char *name)
{
    static char path[CTL_PATH_SIZE];
    assert_int_equal(ctl_path(path, "%s/%s", folder, name), 0);
    return path;
}

static off_t size_of(const char *path)
{
    struct stat is;
    return stat(path, &is) == 0 ? is.st_size : -1;
}

static void a_secret_is_its_owners_alone_and_never_replaced(void **state)
{
    (void)state;
    struct stat is;
    char line[32];
    assert_int_equal(secret_file_create(inside("secret"), 0600, "first\n"), 0);
    assert_int_equal(secret_file_create(inside("secret"), 0600, "second\n"), -EEXIST);
    assert_int_equal(secret_file_read(inside("secret"), line, sizeof(line)), 0);
    assert_string_equal(line, "first");
    assert_int_equal(stat(inside("secret"), &is), 0);
    assert_int_equal(is.st_mode & 0777, 0600);
}

static void a_secret_that_does_not_fit_is_refused_not_cut(void **state)
{
    (void)state;
    char line[5];
    assert_int_equal(secret_file_create(inside("long"), 0600, "12345\n"), 0);
    assert_int_equal(secret_file_read(inside("long"), line, sizeof(line)), -ENOSPC);
    assert_int_equal(secret_file_create(inside("fits"), 0600, "1234"), 0);
    char five[6];
    assert_int_equal(secret_file_read(inside("fits"), five, sizeof(five)), 0);
    assert_string_equal(five, "1234");
    assert_int_equal(secret_file_read(inside("none"), line, sizeof(line)), -ENOENT);
}

static void a_log_turns_at_its_bound_at_a_lines_end(void **state)
{
    (void)state;
    static char half[LOG_FILE_BYTES_MAX / 2 + 10];
    struct log_file log;
    memset(half, 'x', sizeof(half));
    log_file_open(&log, inside("log"));
    log_file_write(&log, half, sizeof(half));
    log_file_write(&log, half, sizeof(half));
    /* Over the bound, but inside a line. */
    assert_int_equal(size_of(inside("log.1")), -1);
    log_file_write(&log, "end\n", 4);
    assert_int_equal(size_of(inside("log.1")), 2 * (off_t)sizeof(half) + 4);
    assert_int_equal(size_of(inside("log")), 0);
    log_file_write(&log, "next\n", 5);
    log_file_close(&log);
    assert_int_equal(size_of(inside("log")), 5);
}

static void a_log_goes_on_where_it_stopped(void **state)
{
    (void)state;
    struct log_file log;
    log_file_open(&log, inside("log"));
    log_file_write(&log, "one\n", 4);
    log_file_close(&log);
    log_file_open(&log, inside("log"));
    assert_int_equal(log.bytes, 4);
    log_file_write(&log, "two\n", 4);
    log_file_close(&log);
    assert_int_equal(size_of(inside("log")), 8);
}

static int init(void)
{
    static const struct ctl_command command = {.subject = "init", .arguments = "[DIR]"};
    char name[] = "init";
    char *argv[] = {name, folder, NULL};
    optind = 0;
    return init_run(&command, 2, argv);
}

static void init_makes_everything_once(void **state)
{
    (void)state;
    char key[64];
    char again[64];
    assert_int_equal(init(), CTL_OK);
    assert_int_equal(secret_file_read(inside("keys/ingest.secret"), key, sizeof(key)), 0);
    assert_int_equal(strlen(key), 40);
    assert_true(size_of(inside("etc/reporting.conf")) > 0);
    off_t allowed = size_of(inside("keys/allow"));
    assert_int_equal(init(), CTL_OK);
    assert_int_equal(secret_file_read(inside("keys/ingest.secret"), again, sizeof(again)), 0);
    assert_string_equal(key, again);
    assert_int_equal(size_of(inside("keys/allow")), allowed);
}

static void init_allows_a_key_again_that_was_renewed(void **state)
{
    (void)state;
    assert_int_equal(init(), CTL_OK);
    off_t allowed = size_of(inside("keys/allow"));
    assert_int_equal(unlink(inside("keys/operator.secret")), 0);
    assert_int_equal(unlink(inside("keys/operator.public")), 0);
    assert_int_equal(init(), CTL_OK);
    assert_int_equal(size_of(inside("keys/allow")),
                     allowed + (off_t)strlen(" operator:local\n") + 40);
}

static void init_does_not_replace_half_a_pair(void **state)
{
    (void)state;
    assert_int_equal(init(), CTL_OK);
    assert_int_equal(unlink(inside("keys/ingest.public")), 0);
    assert_int_equal(init(), CTL_FAILED);
    assert_true(size_of(inside("keys/ingest.secret")) == 40);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(a_secret_is_its_owners_alone_and_never_replaced),
        in_folder(a_secret_that_does_not_fit_is_refused_not_cut),
        in_folder(a_log_turns_at_its_bound_at_a_lines_end),
        in_folder(a_log_goes_on_where_it_stopped),
        in_folder(init_makes_everything_once),
        in_folder(init_allows_a_key_again_that_was_renewed),
        in_folder(init_does_not_replace_half_a_pair),
    };
    return cmocka_run_group_tests_name("ctl files", tests, NULL, NULL);
}
