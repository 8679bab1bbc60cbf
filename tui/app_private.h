/* app_private.h - shared by app.c (keys and effects), app_global.c (what commands mean everywhere) and app_complete.c (Tab). */
#ifndef TUI_APP_PRIVATE_H
#define TUI_APP_PRIVATE_H

#include "tui/app.h"

void app_enter(struct app *a, enum screen_id id);
void app_back(struct app *a);
void app_apply(struct app *a, const struct effect *e);
void app_start_job(struct app *a, const char *line);
void app_ask(struct app *a, enum command_id id, const char *label, struct text initial);
/* A seek that ended: its screen is told, or the person. */
void app_arrive(struct app *a);
void app_run_global(struct app *a, enum command_id id, struct text args);
/* prompt_complete_fn; ctx is the app. */
void app_complete(void *ctx, const char *line, const char *word, struct buf *out);

#endif
