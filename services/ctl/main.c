/* momentctl - the operator's tool: one row per command. */
#include "base/log.h"
#include "base/seal.h"
#include "ctl/ctl.h"
#include "ctl/init.h"
#include "ctl/migrate.h"
#include "ctl/supervise.h"

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
