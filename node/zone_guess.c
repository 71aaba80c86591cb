#include "node/zone_guess.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "core/walltime.h"

#define GUESSES_MAX 3
#define NAME_BYTES  (WALLTIME_ZONE_BYTES_MAX + 1)

/* Cities where offices are and whose zone bears another city's name. */
static const struct {
	const char *city, *zone;
} cities[] = {
	{ "Beijing", "Asia/Shanghai" },
	{ "Chengdu", "Asia/Shanghai" },
	{ "Guangzhou", "Asia/Shanghai" },
	{ "Hangzhou", "Asia/Shanghai" },
	{ "Nanjing", "Asia/Shanghai" },
	{ "Shenzhen", "Asia/Shanghai" },
	{ "Suzhou", "Asia/Shanghai" },
	{ "Tianjin", "Asia/Shanghai" },
	{ "Wuhan", "Asia/Shanghai" },
	{ "Xian", "Asia/Shanghai" },
	{ "上海", "Asia/Shanghai" },
	{ "中国", "Asia/Shanghai" },
	{ "北京", "Asia/Shanghai" },
	{ "广州", "Asia/Shanghai" },
	{ "深圳", "Asia/Shanghai" },
	{ "香港", "Asia/Hong_Kong" },
	{ "台北", "Asia/Taipei" },
	{ "东京", "Asia/Tokyo" },
	{ "新加坡", "Asia/Singapore" },
	{ "Osaka", "Asia/Tokyo" },
	{ "Bangalore", "Asia/Kolkata" },
	{ "Delhi", "Asia/Kolkata" },
	{ "Mumbai", "Asia/Kolkata" },
	{ "Hanoi", "Asia/Ho_Chi_Minh" },
	{ "Frankfurt", "Europe/Berlin" },
	{ "Hamburg", "Europe/Berlin" },
	{ "Munich", "Europe/Berlin" },
	{ "柏林", "Europe/Berlin" },
	{ "法兰克福", "Europe/Berlin" },
	{ "慕尼黑", "Europe/Berlin" },
	{ "伦敦", "Europe/London" },
	{ "巴黎", "Europe/Paris" },
	{ "Barcelona", "Europe/Madrid" },
	{ "Geneva", "Europe/Zurich" },
	{ "Milan", "Europe/Rome" },
	{ "Atlanta", "America/New_York" },
	{ "Boston", "America/New_York" },
	{ "Miami", "America/New_York" },
	{ "Washington", "America/New_York" },
	{ "纽约", "America/New_York" },
	{ "Dallas", "America/Chicago" },
	{ "Houston", "America/Chicago" },
	{ "芝加哥", "America/Chicago" },
	{ "San_Francisco", "America/Los_Angeles" },
	{ "Seattle", "America/Los_Angeles" },
	{ "旧金山", "America/Los_Angeles" },
	{ "洛杉矶", "America/Los_Angeles" },
};

static char folded(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* Levenshtein's: how many letters to insert, remove or replace, without regard to case. Both are
 * shorter than NAME_BYTES. */
static size_t distance(const char *a, const char *b)
{
	size_t row[NAME_BYTES];
	size_t b_size = strlen(b);

	for (size_t j = 0; j <= b_size; j++)
		row[j] = j;
	for (; *a; a++) {
		size_t diagonal = row[0]++;

		for (size_t j = 1; j <= b_size; j++) {
			size_t best = diagonal + (folded(*a) != folded(b[j - 1]));

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[b_size];
}

/* How far from `wrong` a name may be to be meant: a quarter of its letters, none of four. */
static size_t distance_max(const char *wrong)
{
	return *wrong ? (strlen(wrong) - 1) / 4 : 0;
}

static const char *last_part(const char *name)
{
	const char *slash = strrchr(name, '/');

	return slash ? slash + 1 : name;
}

struct guess {
	char name[NAME_BYTES];
	size_t distance;
};

struct guesses {
	const char *dir;
	const char *wrong;
	struct guess best[GUESSES_MAX]; /* ascending by distance */
	size_t count;
};

static bool is_known(const struct guesses *g, const char *name)
{
	for (size_t i = 0; i < g->count; i++)
		if (strcmp(g->best[i].name, name) == 0)
			return true;
	return false;
}

/* A name that the database speaks of may still be in a package that is not installed. */
static bool is_installed(const struct guesses *g, const char *name)
{
	char path[4096];
	int size = snprintf(path, sizeof(path), "%s/%s", g->dir, name);

	return size > 0 && (size_t)size < sizeof(path) && access(path, R_OK) == 0;
}

static void consider(struct guesses *g, const char *name, size_t away)
{
	size_t at = g->count;

	if (at == GUESSES_MAX && away >= g->best[at - 1].distance)
		return;
	if (is_known(g, name) || !is_installed(g, name))
		return;
	if (g->count < GUESSES_MAX)
		g->count++;
	else
		at--;
	for (; at > 0 && g->best[at - 1].distance > away; at--)
		g->best[at] = g->best[at - 1];
	snprintf(g->best[at].name, NAME_BYTES, "%s", name);
	g->best[at].distance = away;
}

static void consider_cities(struct guesses *g)
{
	const char *wrong = last_part(g->wrong);

	for (size_t i = 0; i < sizeof(cities) / sizeof(cities[0]); i++) {
		size_t away = distance(cities[i].city, wrong);

		if (away <= distance_max(wrong))
			consider(g, cities[i].zone, away);
	}
}

/* A city alone, or in another region, counts too. */
static void consider_name(struct guesses *g, const char *name)
{
	size_t whole = distance(name, g->wrong);
	size_t city = distance(last_part(name), last_part(g->wrong));

	if (whole <= distance_max(g->wrong))
		consider(g, name, whole);
	else if (city <= distance_max(last_part(g->wrong)))
		consider(g, name, city + 1);
}

/* Zones and links are lines "Z name ..." and "L target name". */
static void consider_database(struct guesses *g)
{
	char path[4096];
	char *line = NULL;
	size_t line_bytes = 0;
	FILE *file;

	snprintf(path, sizeof(path), "%s/tzdata.zi", g->dir);
	file = fopen(path, "re");
	if (!file)
		return;
	while (getline(&line, &line_bytes, file) > 0) {
		char name[NAME_BYTES];

		if (sscanf(line, "Z %64[^ \n]", name) == 1 ||
		    sscanf(line, "L %*s %64[^ \n]", name) == 1)
			consider_name(g, name);
	}
	free(line);
	fclose(file);
}

bool zone_guess(const char *dir, const char *wrong, char out[static ZONE_GUESS_BYTES])
{
	struct guesses g = { .dir = dir, .wrong = wrong };
	size_t used = 0;

	if (strlen(wrong) >= NAME_BYTES)
		return false;
	consider_cities(&g);
	consider_database(&g);
	for (size_t i = 0; i < g.count; i++)
		used += (size_t)snprintf(out + used, ZONE_GUESS_BYTES - used, "%s%s", i ? ", " : "",
					 g.best[i].name);
	return g.count > 0;
}
