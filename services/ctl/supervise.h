/* supervise - `momentctl supervise`: keeps the processes of one machine running.
 *
 * Each file <dir>/etc/processes/NN-NAME.argv is a process: one argument per line. They start in the
 * order of their file names and stop in the reverse order, one after the other. What they print
 * goes to <dir>/log/NAME.log (log_file.h); their process id stands in <dir>/run/NAME.pid.
 *
 *   a process fails        it starts again, later and later up to 30 s
 *   a process ends with 0  it was drained and stays down until SIGUSR1
 *   SIGUSR1                read the folder again: start what is new or down, stop what is gone
 *   SIGTERM, SIGINT        stop everything: SIGTERM, after 20 s SIGINT, after 10 s more SIGKILL
 *   the supervisor dies    the kernel sends its children SIGTERM
 *
 * systemd or a container engine does the same job better where there is one. */
#ifndef MOMENT_CTL_SUPERVISE_H
#define MOMENT_CTL_SUPERVISE_H

#include "ctl/ctl.h"

int supervise_run(const struct ctl_command *command, int argc, char **argv);

#endif
