/* commands - the functions behind the rows of main.c, one file per subject. */
#ifndef MOMENT_CTL_COMMANDS_H
#define MOMENT_CTL_COMMANDS_H

#include "ctl/ctl.h"

typedef int command_fn(const struct ctl_command *command, int argc, char **argv);

command_fn init_run;      /* init.c: the folder that one machine's services live from */
command_fn migrate_run;   /* migrate.c */
command_fn verify_run;    /* verify.c */
command_fn supervise_run; /* supervise.c */

/* status.c: what every service answers to an operator. */
command_fn status_run;
command_fn loglevel_run;
command_fn drain_run;

command_fn quarantine_list_run; /* quarantine.c */
command_fn quarantine_show_run;
command_fn quarantine_redrive_run;
command_fn quarantine_drop_run;

command_fn source_add_run; /* source.c */
command_fn source_list_run;
command_fn source_remove_run;
command_fn source_rotate_run;

command_fn directory_import_run; /* directory.c */
command_fn directory_list_run;

command_fn standard_publish_run; /* standard.c */
command_fn standard_list_run;

command_fn user_add_run; /* user.c */
command_fn user_edit_run;
command_fn user_list_run;
command_fn user_password_run;
command_fn user_remove_run;

command_fn token_add_run; /* token.c */
command_fn token_list_run;
command_fn token_remove_run;

#endif
