/* init - `momentctl init [DIR]`: the folder that one machine's services live from.
 *
 *   keys/<name>.secret, .public   CURVE key pairs of the services and of the operator
 *   keys/allow                    who may connect
 *   secrets/<role>.password       passwords of the database roles
 *   etc/<service>.conf            settings of each service, operator.conf of momentctl
 *   run/, log/                    pid files, sockets, logs
 *
 * Idempotent: what is there stays as it is, what is missing is made. */
#include "ctl/commands.h"

#include "base/seal.h"
#include "base/text.h"
#include "ctl/secret_file.h"
#include "io/bus.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KEY_SIZE 41
#define ALLOW_SIZE 4096

struct plan {
    char root[CTL_PATH_SIZE]; /* absolute: services may be started from anywhere */
    const char *site;
    const char *database_host; /* folder of the socket, or an address */
    const char *database_port;
    int64_t port_offset; /* added to every port, for a second installation on the machine */
    char default_host[CTL_PATH_SIZE];
    unsigned made;
    unsigned kept;
};

static const char *const roles[] = {"postgres",        "moment_owner",       "moment_ingest",
                                    "moment_feedback", "moment_recognition", "moment_reporting"};

static int make_folder(const char *path, mode_t mode)
{
    if (mkdir(path, mode) == 0 || errno == EEXIST)
        return CTL_OK;
    return ctl_fail("cannot make the folder %s: %s", path, strerror(errno));
}

static int make_folders(const struct plan *plan)
{
    /* run and log are readable by others: PostgreSQL may run as another user. */
    static const struct {
        const char *name;
        mode_t mode;
    } folders[] = {{"keys", 0700}, {"secrets", 0700}, {"etc", 0700}, {"run", 0755}, {"log", 0755}};
    for (size_t i = 0; i < countof(folders); i++) {
        char path[CTL_PATH_SIZE];
        if (ctl_path(path, "%s/%s", plan->root, folders[i].name) < 0)
            return ctl_fail("the path of the folder is too long");
        if (make_folder(path, folders[i].mode) != CTL_OK)
            return CTL_FAILED;
    }
    return CTL_OK;
}

/* A file that is there already is success: init never overwrites. */
static int make_file(struct plan *plan, const char *name, mode_t mode, const char *content)
{
    char path[CTL_PATH_SIZE];
    if (ctl_path(path, "%s/%s", plan->root, name) < 0)
        return ctl_fail("the path of %s is too long", name);
    if (access(path, F_OK) == 0) {
        plan->kept++;
        return CTL_OK;
    }
    int error = secret_file_create(path, mode, content);
    if (error < 0 && error != -EEXIST)
        return ctl_fail("cannot write %s: %s", path, strerror(-error));
    plan->made++;
    return CTL_OK;
}

/* --- keys
 * ---------------------------------------------------------------------------------------*/

static int make_key_pair(struct plan *plan, const char *owner, char public_key[KEY_SIZE + 8])
{
    char secret_name[64];
    char public_name[64];
    char path[CTL_PATH_SIZE];
    (void)snprintf(secret_name, sizeof(secret_name), "keys/%s.secret", owner);
    (void)snprintf(public_name, sizeof(public_name), "keys/%s.public", owner);
    if (ctl_path(path, "%s/%s", plan->root, public_name) < 0)
        return ctl_fail("the path of %s is too long", public_name);
    int error = secret_file_read(path, public_key, KEY_SIZE + 8);
    if (error == 0 && strlen(public_key) == KEY_SIZE - 1) {
        plan->kept += 2;
        return CTL_OK;
    }
    if (error != -ENOENT)
        return ctl_fail("%s holds no key; remove %s.public and %s.secret to have new ones made",
                        path, owner, owner);
    char secret_key[KEY_SIZE];
    bus_new_keys(public_key, secret_key);
    /* The secret first: a pair without its public half is noticed here, the other way round only
     * when a peer refuses. */
    char other[CTL_PATH_SIZE];
    if (ctl_path(other, "%s/%s", plan->root, secret_name) == 0 && access(other, F_OK) == 0)
        return ctl_fail("%s has lost its public half %s; restore it, or remove the secret to have "
                        "a new pair made",
                        other, public_name);
    int code = make_file(plan, secret_name, 0600, secret_key);
    return code != CTL_OK ? code : make_file(plan, public_name, 0644, public_key);
}

static int append_allow(const char *path, const char *lines)
{
    FILE *file = fopen(path, "ae");
    if (file == NULL)
        return ctl_fail("cannot write %s: %s", path, strerror(errno));
    int error = fputs(lines, file) < 0 ? EIO : 0;
    if (fclose(file) != 0 || error != 0)
        return ctl_fail("cannot write %s: %s", path, strerror(errno));
    return CTL_OK;
}

static bool file_holds(const char *path, const char *key)
{
    char line[256];
    bool found = false;
    FILE *file = fopen(path, "re");
    while (file != NULL && !found && fgets(line, sizeof(line), file) != NULL)
        found = strncmp(line, key, KEY_SIZE - 1) == 0;
    if (file != NULL)
        (void)fclose(file);
    return found;
}

static int make_keys(struct plan *plan)
{
    static const struct {
        const char *owner;
        const char *user;
    } pairs[] = {{"ingest", "service:ingest"},
                 {"feedback", "service:feedback"},
                 {"recognition", "service:recognition"},
                 {"reporting", "service:reporting"},
                 {"operator", "operator:local"}};
    char path[CTL_PATH_SIZE];
    char missing[ALLOW_SIZE] = "";
    size_t len = 0;
    if (ctl_path(path, "%s/keys/allow", plan->root) < 0)
        return ctl_fail("the path of keys/allow is too long");
    for (size_t i = 0; i < countof(pairs); i++) {
        char public_key[KEY_SIZE + 8];
        if (make_key_pair(plan, pairs[i].owner, public_key) != CTL_OK)
            return CTL_FAILED;
        if (!file_holds(path, public_key))
            len += (size_t)snprintf(missing + len, sizeof(missing) - len, "%s %s\n", public_key,
                                    pairs[i].user);
    }
    assert(len < sizeof(missing));
    if (access(path, F_OK) != 0)
        return make_file(plan, "keys/allow", 0600, missing);
    plan->kept++;
    return len == 0 ? CTL_OK : append_allow(path, missing);
}

/* --- passwords and settings
 * ---------------------------------------------------------------------*/

static int make_passwords(struct plan *plan)
{
    for (size_t i = 0; i < countof(roles); i++) {
        char name[64];
        char token[SEAL_TOKEN_SIZE];
        char line[SEAL_TOKEN_SIZE + 1];
        seal_token("db", token);
        (void)snprintf(name, sizeof(name), "secrets/%s.password", roles[i]);
        (void)snprintf(line, sizeof(line), "%s\n", token);
        if (make_file(plan, name, 0600, line) != CTL_OK)
            return CTL_FAILED;
    }
    return CTL_OK;
}

/* A value of a libpq keyword: quoted, with ' and \ escaped. */
static void quote_keyword(const char *value, char *to, size_t size)
{
    size_t len = 0;
    to[len++] = '\'';
    for (; *value != '\0' && len + 4 < size; value++) {
        if (*value == '\'' || *value == '\\')
            to[len++] = '\\';
        to[len++] = *value;
    }
    to[len++] = '\'';
    to[len] = '\0';
}

#define PEERS_SIZE 256

/* Where the peers answer calls; each service and the operator has all four. */
static void peer_settings(const struct plan *plan, char text[PEERS_SIZE])
{
    int offset = (int)plan->port_offset;
    (void)snprintf(text, PEERS_SIZE,
                   "PEER_INGEST=tcp://127.0.0.1:%d\n"
                   "PEER_FEEDBACK=tcp://127.0.0.1:%d\n"
                   "PEER_RECOGNITION=tcp://127.0.0.1:%d\n"
                   "PEER_REPORTING=tcp://127.0.0.1:%d\n",
                   offset + 7101, offset + 7102, offset + 7103, offset + 7104);
}

static int make_service_settings(struct plan *plan, const char *service, int number)
{
    char name[64];
    char http[64] = "";
    char peers[PEERS_SIZE];
    char host[CTL_PATH_SIZE];
    char text[5 * CTL_PATH_SIZE];
    int offset = (int)plan->port_offset;
    (void)snprintf(name, sizeof(name), "etc/%s.conf", service);
    quote_keyword(plan->database_host, host, sizeof(host));
    peer_settings(plan, peers);
    if (strcmp(service, "ingest") == 0)
        (void)snprintf(http, sizeof(http), "HTTP_ADDRESS=127.0.0.1:%d\n", offset + 8081);
    if (strcmp(service, "reporting") == 0)
        (void)snprintf(http, sizeof(http), "HTTP_ADDRESS=127.0.0.1:%d\n", offset + 8080);
    int len =
        snprintf(text, sizeof(text),
                 "# Settings of moment-%s. `moment-%s --print-settings` explains them all.\n"
                 "SITE=%s\n"
                 "DATABASE=host=%s port=%s dbname=moment user=moment_%s\n"
                 "DATABASE_PASSWORD_FILE=%s/secrets/moment_%s.password\n"
                 "KEYS_DIR=%s/keys\n"
                 "%s"
                 "BUS_ADDRESS=tcp://127.0.0.1:%d\n"
                 "ADMIN_ADDRESS=127.0.0.1:%d\n"
                 "%s",
                 service, service, plan->site, host, plan->database_port, service, plan->root,
                 service, plan->root, http, offset + 7101 + number, offset + 9101 + number, peers);
    if (len < 0 || (size_t)len >= sizeof(text))
        return ctl_fail("the settings of %s do not fit", service);
    return make_file(plan, name, 0600, text);
}

static int make_operator_settings(struct plan *plan)
{
    char host[CTL_PATH_SIZE];
    char peers[PEERS_SIZE];
    char text[6 * CTL_PATH_SIZE];
    quote_keyword(plan->database_host, host, sizeof(host));
    peer_settings(plan, peers);
    int len = snprintf(text, sizeof(text),
                       "# Settings of momentctl.\n"
                       "DATABASE=host=%s port=%s dbname=moment user=moment_owner\n"
                       "# Leave this out where an administrator makes roles and the database.\n"
                       "ADMIN_DATABASE=host=%s port=%s dbname=postgres user=postgres\n"
                       "SECRETS_DIR=%s/secrets\n"
                       "KEYS_DIR=%s/keys\n"
                       "%s",
                       host, plan->database_port, host, plan->database_port, plan->root, plan->root,
                       peers);
    if (len < 0 || (size_t)len >= sizeof(text))
        return ctl_fail("the operator's settings do not fit");
    return make_file(plan, "etc/operator.conf", 0600, text);
}

static int make_everything(struct plan *plan)
{
    if (make_folders(plan) != CTL_OK || make_keys(plan) != CTL_OK || make_passwords(plan) != CTL_OK)
        return CTL_FAILED;
    for (size_t i = 0; i < CTL_SERVICES; i++) {
        if (make_service_settings(plan, ctl_services[i], (int)i) != CTL_OK)
            return CTL_FAILED;
    }
    return make_operator_settings(plan);
}

/* The absolute path, of a folder that is made if it is missing. */
static int choose_root(struct plan *plan, const char *dir)
{
    if (make_folder(dir, 0755) != CTL_OK)
        return CTL_FAILED;
    char *absolute = realpath(dir, NULL);
    if (absolute == NULL)
        return ctl_fail("cannot find %s: %s", dir, strerror(errno));
    bool is_short = text_copy(plan->root, sizeof(plan->root), absolute);
    free(absolute);
    if (!is_short || ctl_path(plan->default_host, "%s/run/postgresql", plan->root) < 0)
        return ctl_fail("the path of %s is too long", dir);
    return CTL_OK;
}

static bool parse(struct plan *plan, int argc, char **argv)
{
    static const struct option options[] = {{"site", required_argument, NULL, 's'},
                                            {"database-host", required_argument, NULL, 'h'},
                                            {"database-port", required_argument, NULL, 'p'},
                                            {"port-offset", required_argument, NULL, 'o'},
                                            {NULL, 0, NULL, 0}};
    for (int option; (option = getopt_long(argc, argv, "", options, NULL)) != -1;) {
        if (option == 's')
            plan->site = optarg;
        else if (option == 'h')
            plan->database_host = optarg;
        else if (option == 'p')
            plan->database_port = optarg;
        else if (option == 'o' && text_to_i64(slice_of(optarg), 0, 50000, &plan->port_offset) == 0)
            continue;
        else
            return false;
    }
    return true;
}

int init_run(const struct ctl_command *command, int argc, char **argv)
{
    struct plan plan = {.site = "main", .database_port = "5432"};
    if (!parse(&plan, argc, argv) || argc - optind > 1)
        return ctl_usage(command, "init takes one folder");
    if (choose_root(&plan, optind < argc ? argv[optind] : ctl_dir()) != CTL_OK)
        return CTL_FAILED;
    if (plan.database_host == NULL)
        plan.database_host = plan.default_host;
    if (make_everything(&plan) != CTL_OK)
        return CTL_FAILED;
    ctl_say("%s: %u files made, %u kept as they were", plan.root, plan.made, plan.kept);
    return CTL_OK;
}
