/* user - `momentctl user`: people who log in to the page with a password. */
#include "base/text.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/secret_file.h"
#include "ctl/table.h"
#include "ctl/words.h"
#include "moment/v1/reporting.pb-c.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PASSWORD_SIZE 256

struct wish {
    struct words roles;
    struct words sites;
    struct words teams;
    char password[PASSWORD_SIZE];
};

static bool read_password(const char *path, char password[PASSWORD_SIZE])
{
    const char *from = strcmp(path, "-") == 0 ? "/dev/stdin" : path;
    int error = secret_file_read(from, password, PASSWORD_SIZE);
    if (error < 0)
        (void)ctl_fail("cannot read the password from %s: %s", path, strerror(-error));
    return error == 0;
}

enum { NAME = 1, ROLE, SITE, TEAM, PERSON, PASSWORD_FILE };

static bool take_option(int option, Moment__V1__AddUserRequest *request, struct wish *wish)
{
    switch (option) {
    case NAME:
        request->name = optarg;
        return true;
    case PERSON:
        request->person_id = optarg;
        return true;
    case ROLE:
        return words_add(&wish->roles, optarg);
    case SITE:
        return words_add(&wish->sites, optarg);
    case TEAM:
        return words_add(&wish->teams, optarg);
    case PASSWORD_FILE:
        return read_password(optarg, wish->password);
    default:
        return false;
    }
}

/* Where nobody can look over a shoulder: the environment, for scripts. */
static void take_from_environment(char password[PASSWORD_SIZE])
{
    const char *text = getenv("MOMENT_PASSWORD");
    if (password[0] == '\0' && text != NULL)
        (void)text_copy(password, PASSWORD_SIZE, text);
}

int user_add_run(const struct ctl_command *command, int argc, char **argv)
{
    static const struct option words[] = {{"name", required_argument, NULL, NAME},
                                          {"role", required_argument, NULL, ROLE},
                                          {"site", required_argument, NULL, SITE},
                                          {"team", required_argument, NULL, TEAM},
                                          {"person", required_argument, NULL, PERSON},
                                          {"password-file", required_argument, NULL, PASSWORD_FILE},
                                          {NULL, 0, NULL, 0}};
    struct wish wish = {.password = ""};
    Moment__V1__AddUserRequest request;
    moment__v1__add_user_request__init(&request);
    for (int option; (option = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        if (!take_option(option, &request, &wish))
            return ctl_usage(command, "an option is not understood");
    }
    if (argc - optind != 1 || wish.roles.count == 0)
        return ctl_usage(command, "user add takes a login and at least one --role");
    take_from_environment(wish.password);
    request.password = wish.password;
    request.login = argv[optind];
    request.roles = wish.roles.items;
    request.n_roles = wish.roles.count;
    request.sites = wish.sites.items;
    request.n_sites = wish.sites.count;
    request.teams = wish.teams.items;
    request.n_teams = wish.teams.count;
    const struct question question =
        QUESTION("reporting", "reporting.AddUser", true, &request, add_user);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    ctl_say("user %s added", request.login);
    ctl_print_secret("password", ((Moment__V1__AddUserResponse *)response)->password);
    ask_free(response);
    return CTL_OK;
}

/* --- editing: what is not said stays as it is ---------------------------------------------- */

enum { EVERY_SITE = 20, EVERY_TEAM, NO_PERSON };

struct edit {
    struct words roles;
    struct words sites;
    struct words teams;
    const char *name;
    const char *person_id;
    bool every_site, every_team;
};

static bool take_edit(int option, struct edit *edit)
{
    switch (option) {
    case NAME:
        edit->name = optarg;
        return true;
    case PERSON:
        edit->person_id = optarg;
        return true;
    case NO_PERSON:
        edit->person_id = "";
        return true;
    case ROLE:
        return words_add(&edit->roles, optarg);
    case SITE:
        return words_add(&edit->sites, optarg);
    case TEAM:
        return words_add(&edit->teams, optarg);
    case EVERY_SITE:
        return edit->every_site = true;
    case EVERY_TEAM:
        return edit->every_team = true;
    default:
        return false;
    }
}

/* Borrowed from list; null after it has been said. */
static const Moment__V1__UserInfo *find_user(const Moment__V1__ListUsersResponse *list,
                                             const char *login)
{
    for (size_t i = 0; i < list->n_users; i++) {
        if (!list->users[i]->disabled && strcasecmp(list->users[i]->login, login) == 0)
            return list->users[i];
    }
    (void)ctl_fail("there is no user %s", login);
    return NULL;
}

static void choose(const struct words *said, bool every, char **was, size_t was_count,
                   char ***ret_items, size_t *ret_count)
{
    bool is_said = said->count > 0 || every;
    *ret_items = is_said ? (char **)(uintptr_t)said->items : was;
    *ret_count = is_said ? said->count : was_count;
}

static int send_edit(const Moment__V1__UserInfo *user, const struct edit *edit)
{
    Moment__V1__EditUserRequest request;
    moment__v1__edit_user_request__init(&request);
    request.login = user->login;
    request.name = (char *)(uintptr_t)(edit->name != NULL ? edit->name : user->name);
    request.person_id =
        (char *)(uintptr_t)(edit->person_id != NULL ? edit->person_id : user->person_id);
    choose(&edit->roles, false, user->roles, user->n_roles, &request.roles, &request.n_roles);
    choose(&edit->sites, edit->every_site, user->sites, user->n_sites, &request.sites,
           &request.n_sites);
    choose(&edit->teams, edit->every_team, user->teams, user->n_teams, &request.teams,
           &request.n_teams);
    const struct question question =
        QUESTION("reporting", "reporting.EditUser", true, &request, edit_user);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    ctl_say("user %s changed", request.login);
    ask_free(response);
    return CTL_OK;
}

int user_edit_run(const struct ctl_command *command, int argc, char **argv)
{
    static const struct option words[] = {{"name", required_argument, NULL, NAME},
                                          {"role", required_argument, NULL, ROLE},
                                          {"site", required_argument, NULL, SITE},
                                          {"every-site", no_argument, NULL, EVERY_SITE},
                                          {"team", required_argument, NULL, TEAM},
                                          {"every-team", no_argument, NULL, EVERY_TEAM},
                                          {"person", required_argument, NULL, PERSON},
                                          {"no-person", no_argument, NULL, NO_PERSON},
                                          {NULL, 0, NULL, 0}};
    struct edit edit = {.name = NULL};
    Moment__V1__ListUsersRequest all;
    for (int option; (option = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        if (!take_edit(option, &edit))
            return ctl_usage(command, "an option is not understood");
    }
    if (argc - optind != 1 || (edit.every_site && edit.sites.count > 0) ||
        (edit.every_team && edit.teams.count > 0))
        return ctl_usage(command, "user edit takes a login, and sites or every site, not both");
    moment__v1__list_users_request__init(&all);
    const struct question question =
        QUESTION("reporting", "reporting.ListUsers", false, &all, list_users);
    ProtobufCMessage *list = ask_or_tell(&question);
    if (list == NULL)
        return CTL_FAILED;
    const Moment__V1__UserInfo *user = find_user((void *)list, argv[optind]);
    int code = user != NULL ? send_edit(user, &edit) : CTL_FAILED;
    ask_free(list);
    return code;
}

static void print_users(const Moment__V1__ListUsersResponse *list)
{
    static const char *const headings[] = {"LOGIN", "NAME",  "ROLES",
                                           "SITES", "TEAMS", "LAST LOGIN"};
    struct table table;
    table_init(&table, countof(headings), headings);
    for (size_t i = 0; i < list->n_users; i++) {
        const Moment__V1__UserInfo *user = list->users[i];
        char roles[WORDS_CELL_SIZE];
        char sites[WORDS_CELL_SIZE];
        char teams[WORDS_CELL_SIZE];
        char when[TABLE_TIME_SIZE];
        table_add(&table,
                  (const char *const[]){
                      user->login, user->name, words_cell(user->roles, user->n_roles, roles),
                      user->n_sites > 0 ? words_cell(user->sites, user->n_sites, sites) : "all",
                      user->n_teams > 0 ? words_cell(user->teams, user->n_teams, teams) : "all",
                      user->disabled ? "disabled" : table_time(user->last_login_at, when)});
    }
    table_print(&table, "No users yet; `momentctl user add LOGIN --role leader` adds one.");
}

int user_list_run(const struct ctl_command *command, int argc, char **argv)
{
    bool wants_json;
    Moment__V1__ListUsersRequest request;
    moment__v1__list_users_request__init(&request);
    int code = ctl_words(command, argc, argv, 0, 0, &wants_json);
    if (code != 0)
        return code;
    const struct question question =
        QUESTION("reporting", "reporting.ListUsers", false, &request, list_users);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    if (wants_json)
        ask_print_json(response);
    else
        print_users((Moment__V1__ListUsersResponse *)response);
    ask_free(response);
    return CTL_OK;
}

int user_password_run(const struct ctl_command *command, int argc, char **argv)
{
    static const struct option words[] = {{"password-file", required_argument, NULL, PASSWORD_FILE},
                                          {NULL, 0, NULL, 0}};
    char password[PASSWORD_SIZE] = "";
    Moment__V1__SetPasswordRequest request;
    moment__v1__set_password_request__init(&request);
    for (int option; (option = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        if (option != PASSWORD_FILE || !read_password(optarg, password))
            return ctl_usage(command, "--password-file takes a file, or - for stdin");
    }
    if (argc - optind != 1)
        return ctl_usage(command, "user password takes a login");
    take_from_environment(password);
    request.login = argv[optind];
    request.password = password;
    const struct question question =
        QUESTION("reporting", "reporting.SetPassword", true, &request, set_password);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    ctl_say("the password of %s is changed; its sessions have ended", request.login);
    ctl_print_secret("password", ((Moment__V1__SetPasswordResponse *)response)->password);
    ask_free(response);
    return CTL_OK;
}

int user_remove_run(const struct ctl_command *command, int argc, char **argv)
{
    bool unused;
    Moment__V1__RemoveUserRequest request;
    moment__v1__remove_user_request__init(&request);
    int code = ctl_words(command, argc, argv, 1, 1, &unused);
    if (code != 0)
        return code;
    request.login = argv[optind];
    const struct question question =
        QUESTION("reporting", "reporting.RemoveUser", true, &request, remove_user);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    ctl_say("user %s removed", request.login);
    ask_free(response);
    return CTL_OK;
}
