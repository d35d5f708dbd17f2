/* figures_json - counts and figures in the form of the API; one place, so that the floor, the
 * report and its export never differ. */
#ifndef MOMENT_REPORTING_FIGURES_JSON_H
#define MOMENT_REPORTING_FIGURES_JSON_H

#include "io/json.h"
#include "reporting/rules/figures.h"
#include "reporting/rules/service_level.h"

struct figure_choice {
    enum service_level definition;
    struct service_level_switches switches;
};

json_t *counts_json(const struct counts *counts);
json_t *figures_json(const struct counts *counts, const struct figure_choice *choice);
json_t *share_json(struct share share, const char *definition);
struct share service_level_share(const struct counts *counts, const struct figure_choice *choice);

#endif
