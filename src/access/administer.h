/*
 * administer.h
 *		What managers may change.
 */
#ifndef TERRITORY_ADMINISTER_H
#define TERRITORY_ADMINISTER_H

/* has decisions by hand on protected tables checked */
extern void administer_init(void);

#endif							/* TERRITORY_ADMINISTER_H */
