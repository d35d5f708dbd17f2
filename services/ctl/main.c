/* momentctl - the operator's tool: one row per command. */
#include "base/log.h"
#include "base/seal.h"
#include "ctl/commands.h"
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static int help_run(const struct ctl_command *command, int argc, char **argv);

static const struct ctl_command commands[] = {
    {"init", NULL, "[DIR] [--site S] [--database-host H] [--database-port P] [--port-offset N]",
     "Make keys, passwords and settings; keeps what is there",
     "DIR is var unless --dir says otherwise. --database-host is the folder of PostgreSQL's socket "
     "or a numeric address. --port-offset is added to every port of the services.",
     init_run},
    {"migrate", NULL, "[--wait SECONDS]", "Make or update roles, schemas and tables",
     "Two at once are safe: the second waits. A database that a newer momentctl has migrated is "
     "refused.",
     migrate_run},
    {"status", NULL, "[--json]", "All services: streams, cursors, lag, quarantine, sources",
     "Exit code 0: all are up, 2: some, 1: none.", status_run},
    {"verify", NULL, "[SERVICE] [--json]",
     "Prove that no record of a stream was altered or removed",
     "Reads the whole stream from the database and follows its hash chain. Exit code 1 names the "
     "first record that is wrong.",
     verify_run},
    {"quarantine", "list", "[SERVICE] [--json]", "Records that a service could not apply", NULL,
     quarantine_list_run},
    {"quarantine", "show", "SERVICE ID [--json]", "One of them, with its error", NULL,
     quarantine_show_run},
    {"quarantine", "redrive", "SERVICE ID", "Apply it again, after the cause was mended", NULL,
     quarantine_redrive_run},
    {"quarantine", "drop", "SERVICE ID --reason TEXT", "Give it up, and say why", NULL,
     quarantine_drop_run},
    {"source", "add",
     "KIND NAME [--system S] [--site S] [--host H] [--port P] [--user U] [--secret-file F] [--path "
     "P] [--native] [--option NAME=VALUE]...",
     "Listen to a call centre from now on",
     "asterisk-ami: --host --port --user --secret-file; asterisk-queue-log: --path; events: prints "
     "a bearer token and a webhook secret for POST /v1/events, with --native also the keys of a "
     "ZeroMQ client. Sources of one PBX share --system.",
     source_add_run},
    {"source", "list", "[--json]", "Sources with their state", NULL, source_list_run},
    {"source", "remove", "NAME", "Stop listening; what was heard stays", NULL, source_remove_run},
    {"source", "rotate", "NAME [--retire-old]", "A new secret; two are valid at once",
     "--retire-old refuses the older one at once.", source_rotate_run},
    {"directory", "import", "FILE [--format csv|json] [--dry-run]",
     "Sites, teams, people and queues from a file; - is stdin",
     "Entries are made or updated; what the file does not mention stays. Exit code 2: some lines "
     "were refused.",
     directory_import_run},
    {"directory", "list", "[--json]", "The directory, and agents that nobody claims", NULL,
     directory_list_run},
    {"standard", "publish", "FILE", "Publish a standard from its JSON; - is stdin",
     "A published version never changes: publishing again makes the next version.",
     standard_publish_run},
    {"standard", "list", "[--json]", "Standards and their versions", NULL, standard_list_run},
    {"user", "add",
     "LOGIN --role R... [--name N] [--site S]... [--team T]... [--person ID] [--password-file F]",
     "Somebody who logs in to the page",
     "Roles: leader, coach, agent, integrator, operator. Without --site and --team all are seen. "
     "The password comes from --password-file (- is stdin) or MOMENT_PASSWORD; without both one is "
     "made and printed once.",
     user_add_run},
    {"user", "edit",
     "LOGIN [--role R]... [--name N] [--site S... | --every-site] [--team T... | --every-team] "
     "[--person ID | --no-person]",
     "Other roles, another scope, another name",
     "What is not said stays as it is; a list that is said takes the place of the one before.",
     user_edit_run},
    {"user", "list", "[--json]", "Who may log in", NULL, user_list_run},
    {"user", "password", "LOGIN [--password-file F]", "A new password", NULL, user_password_run},
    {"user", "remove", "LOGIN", "Nobody by that name logs in any more", NULL, user_remove_run},
    {"token", "add", "NAME --role R... [--site S]... [--team T]... [--expires-days N]",
     "A bearer token for a program that reads the HTTP API", NULL, token_add_run},
    {"token", "list", "[--json]", "Tokens, without their secrets", NULL, token_list_run},
    {"token", "remove", "ID", "Refuse a token from now on", NULL, token_remove_run},
    {"loglevel", NULL, "SERVICE debug|info|warn|error [--for SECONDS]",
     "Log more or less, without a restart", "--for goes back to the setting by itself.",
     loglevel_run},
    {"drain", NULL, "SERVICE", "Finish what is under way, then end", NULL, drain_run},
    {"supervise", NULL, "", "Keep the processes of DIR/etc/processes running",
     "One file NN-NAME.argv per process, one argument per line. SIGUSR1 reads the folder again, "
     "SIGTERM stops everything in reverse order.",
     supervise_run},
    {"help", NULL, "[COMMAND]", "This list, or more about one command", NULL, help_run},
};

static const struct option global_options[] = {{"dir", required_argument, NULL, 'd'},
                                               {"quiet", no_argument, NULL, 'q'},
                                               {"help", no_argument, NULL, 'h'},
                                               {NULL, 0, NULL, 0}};

static void print_command(FILE *out, const struct ctl_command *command)
{
    char line[256];
    (void)snprintf(line, sizeof(line), "%s%s%s %s", command->subject,
                   command->verb != NULL ? " " : "", command->verb != NULL ? command->verb : "",
                   command->arguments);
    (void)fprintf(out, "  %s\n        %s.\n", line, command->summary);
}

static int help_run(const struct ctl_command *command, int argc, char **argv)
{
    (void)command;
    const char *subject = argc > 1 ? argv[1] : NULL;
    unsigned shown = 0;
    if (subject == NULL)
        (void)puts("usage: momentctl [--dir DIR] [--quiet] COMMAND ...\n\n"
                   "Exit codes: 0 done, 1 failed, 2 partly done, 64 wrong usage.\n");
    for (size_t i = 0; i < countof(commands); i++) {
        if (subject != NULL && strcmp(subject, commands[i].subject) != 0)
            continue;
        print_command(stdout, &commands[i]);
        if (subject != NULL && commands[i].details != NULL)
            (void)printf("        %s\n", commands[i].details);
        shown++;
    }
    if (shown == 0)
        return ctl_fail("there is no command %s; `momentctl help` lists them", subject);
    return CTL_OK;
}

static const struct ctl_command *find(const char *subject, const char *verb, bool *ret_is_subject)
{
    *ret_is_subject = false;
    for (size_t i = 0; i < countof(commands); i++) {
        if (strcmp(commands[i].subject, subject) != 0)
            continue;
        *ret_is_subject = true;
        if (commands[i].verb == NULL || (verb != NULL && strcmp(commands[i].verb, verb) == 0))
            return &commands[i];
    }
    return NULL;
}

static int run(int argc, char **argv)
{
    bool is_subject;
    const char *verb = argc > 1 ? argv[1] : NULL;
    const struct ctl_command *command = find(argv[0], verb, &is_subject);
    if (command == NULL && is_subject) {
        char *asked[] = {argv[0], argv[0], NULL};
        (void)ctl_fail("%s needs one of its commands:", argv[0]);
        (void)help_run(NULL, 2, asked);
        return CTL_USAGE;
    }
    if (command == NULL) {
        (void)ctl_fail("there is no command %s; `momentctl help` lists them", argv[0]);
        return CTL_USAGE;
    }
    int skip = command->verb != NULL ? 1 : 0;
    /* 0 makes glibc start afresh, with the command's own options. */
    optind = 0;
    return command->run(command, argc - skip, argv + skip);
}

int main(int argc, char **argv)
{
    /* + stops at the first word: what follows belongs to the command. */
    for (int option; (option = getopt_long(argc, argv, "+", global_options, NULL)) != -1;) {
        if (option == 'd')
            ctl_set_dir(optarg);
        else if (option == 'q')
            ctl_set_quiet(true);
        else
            return option == 'h' ? help_run(NULL, 0, NULL) : CTL_USAGE;
    }
    if (optind >= argc) {
        (void)help_run(NULL, 0, NULL);
        return CTL_USAGE;
    }
    if (seal_init() < 0)
        return ctl_fail("libsodium does not start on this machine");
    log_setup("momentctl", LOG_WARN);
    return run(argc - optind, argv + optind);
}
