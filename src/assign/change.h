/*
 * change.h
 *		Changes of rules, nodes, models, objects and exclusions.
 */
#ifndef TERRITORY_CHANGE_H
#define TERRITORY_CHANGE_H

/* defines the setting territory.defer_runs; called once, from _PG_init */
extern void change_init(void);

#endif							/* TERRITORY_CHANGE_H */
