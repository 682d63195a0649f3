/*
 * probe.h
 *		What the planner has to know of the functions that policies consist of.
 */
#ifndef TERRITORY_PROBE_H
#define TERRITORY_PROBE_H

/* By this format of a call, visible_keys() knows that a plan is being executed: no statement has such calls of it. */
#define VISIBLE_KEYS_FORMAT COERCE_SQL_SYNTAX

#endif							/* TERRITORY_PROBE_H */
