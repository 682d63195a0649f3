/*
 * records.h
 *		Records of an attached table itself: their locks, and what they belong to.
 */
#ifndef TERRITORY_RECORDS_H
#define TERRITORY_RECORDS_H

#include "postgres.h"

#include "executor/spi.h"

#include "rule/object.h"

/*
 * Who writes a record that belongs to others holds these, who has changed their
 * pairs seizes them (base/lock.c). All need an SPI connection and run as the
 * table's owner.
 */
extern int	records_hold(const ObjectInfo *object, const Datum *keys, int count);
extern void records_seize(const ObjectInfo *object, const Datum *keys, int count);

/* (key, key of the record above) of some records, held if asked for */
extern SPITupleTable *records_read_links(const ObjectInfo *object, const Datum *keys, int count, bool hold);

#endif							/* TERRITORY_RECORDS_H */
