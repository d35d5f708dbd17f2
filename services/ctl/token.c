/* token - `momentctl token`: bearer tokens of programs that read the HTTP API. */
#include "base/text.h"
#include "ctl/ask.h"
#include "ctl/commands.h"
#include "ctl/table.h"
#include "ctl/words.h"
#include "moment/v1/reporting.pb-c.h"

#include <getopt.h>
#include <stdio.h>

struct wish {
    struct words roles;
    struct words sites;
    struct words teams;
    int64_t expires_days;
};

enum { ROLE = 1, SITE, TEAM, DAYS };

static bool take_option(int option, struct wish *wish)
{
    switch (option) {
    case ROLE:
        return words_add(&wish->roles, optarg);
    case SITE:
        return words_add(&wish->sites, optarg);
    case TEAM:
        return words_add(&wish->teams, optarg);
    case DAYS:
        return text_to_i64(slice_of(optarg), 1, 3650, &wish->expires_days) == 0;
    default:
        return false;
    }
}

int token_add_run(const struct ctl_command *command, int argc, char **argv)
{
    static const struct option words[] = {{"role", required_argument, NULL, ROLE},
                                          {"site", required_argument, NULL, SITE},
                                          {"team", required_argument, NULL, TEAM},
                                          {"expires-days", required_argument, NULL, DAYS},
                                          {NULL, 0, NULL, 0}};
    struct wish wish = {.expires_days = 0};
    Moment__V1__AddTokenRequest request;
    moment__v1__add_token_request__init(&request);
    for (int option; (option = getopt_long(argc, argv, "", words, NULL)) != -1;) {
        if (!take_option(option, &wish))
            return ctl_usage(command, "an option is not understood");
    }
    if (argc - optind != 1 || wish.roles.count == 0)
        return ctl_usage(command, "token add takes a name and at least one --role");
    request.name = argv[optind];
    request.roles = wish.roles.items;
    request.n_roles = wish.roles.count;
    request.sites = wish.sites.items;
    request.n_sites = wish.sites.count;
    request.teams = wish.teams.items;
    request.n_teams = wish.teams.count;
    request.expires_days = (uint32_t)wish.expires_days;
    const struct question question =
        QUESTION("reporting", "reporting.AddToken", true, &request, add_token);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    const Moment__V1__AddTokenResponse *added = (Moment__V1__AddTokenResponse *)response;
    ctl_print_secret("token", added->token);
    (void)printf("id: %s\n", added->token_id);
    ask_free(response);
    return CTL_OK;
}

static void print_tokens(const Moment__V1__ListTokensResponse *list)
{
    static const char *const headings[] = {"ID", "NAME", "ROLES", "MADE", "EXPIRES", "LAST USED"};
    struct table table;
    table_init(&table, countof(headings), headings);
    for (size_t i = 0; i < list->n_tokens; i++) {
        const Moment__V1__TokenInfo *token = list->tokens[i];
        char roles[WORDS_CELL_SIZE];
        char times[3][TABLE_TIME_SIZE];
        table_add(&table,
                  (const char *const[]){
                      token->token_id, token->name, words_cell(token->roles, token->n_roles, roles),
                      table_time(token->created_at, times[0]),
                      token->expires_at == 0 ? "never" : table_time(token->expires_at, times[1]),
                      table_time(token->last_used_at, times[2])});
    }
    table_print(&table, "No tokens yet; `momentctl token add NAME --role leader` adds one.");
}

int token_list_run(const struct ctl_command *command, int argc, char **argv)
{
    bool wants_json;
    Moment__V1__ListTokensRequest request;
    moment__v1__list_tokens_request__init(&request);
    int code = ctl_words(command, argc, argv, 0, 0, &wants_json);
    if (code != 0)
        return code;
    const struct question question =
        QUESTION("reporting", "reporting.ListTokens", false, &request, list_tokens);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    if (wants_json)
        ask_print_json(response);
    else
        print_tokens((Moment__V1__ListTokensResponse *)response);
    ask_free(response);
    return CTL_OK;
}

int token_remove_run(const struct ctl_command *command, int argc, char **argv)
{
    bool unused;
    Moment__V1__RemoveTokenRequest request;
    moment__v1__remove_token_request__init(&request);
    int code = ctl_words(command, argc, argv, 1, 1, &unused);
    if (code != 0)
        return code;
    request.token_id = argv[optind];
    const struct question question =
        QUESTION("reporting", "reporting.RemoveToken", true, &request, remove_token);
    ProtobufCMessage *response = ask_or_tell(&question);
    if (response == NULL)
        return CTL_FAILED;
    ctl_say("token %s removed", request.token_id);
    ask_free(response);
    return CTL_OK;
}
