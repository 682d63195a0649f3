/*
 * history.h
 *		What stood when.
 */
#ifndef TERRITORY_HISTORY_H
#define TERRITORY_HISTORY_H

/* called once, from _PG_init */
extern void history_init(void);

#endif							/* TERRITORY_HISTORY_H */
