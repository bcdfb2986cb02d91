/**
 * What Amazon documents as supported by DocumentDB 5.0 on instance-based clusters, as far as a store of records may come
 * near it: a command, operator or index option that is not listed here is refused by start-documentdb-proxy.ts.
 *
 * Compared with Amazon's own compatibility tool, version of May 2026.
 *
 * @see https://docs.aws.amazon.com/documentdb/latest/developerguide/mongo-apis.html
 * @see https://github.com/awslabs/amazon-documentdb-tools/tree/master/compat-tool
 * @see https://docs.aws.amazon.com/documentdb/latest/developerguide/index-properties.html
 * @see https://docs.aws.amazon.com/documentdb/latest/developerguide/functional-differences.html
 */
const set = (names: string): ReadonlySet<string> => new Set(names.split(/\s+/));

export const supportedCommands = set(
  'aggregate count distinct delete find findAndModify getMore insert update create createIndexes collMod drop ' +
    'dropDatabase dropIndexes listCollections listDatabases listIndexes killCursors explain hello isMaster ismaster ping ' +
    'buildInfo connectionStatus serverStatus dbStats collStats saslStart saslContinue authenticate logout endSessions ' +
    'startSession refreshSessions abortTransaction commitTransaction',
);

export const supportedQueryOperators = set(
  '$eq $gt $gte $in $lt $lte $ne $nin $and $or $not $nor $exists $type $expr $jsonSchema $mod $regex $options $text ' +
    '$search $all $elemMatch $size $comment $bitsAllSet $bitsAnySet $bitsAllClear $bitsAnyClear $slice $meta',
);

export const supportedUpdateOperators = set(
  '$currentDate $inc $max $min $mul $rename $set $setOnInsert $unset $addToSet $pop $pull $pullAll $push $each ' +
    '$position $slice $sort $bit',
);

export const supportedStages = set(
  '$match $group $project $sort $limit $skip $unwind $lookup $count $addFields $sample $redact $replaceRoot ' +
    '$geoNear $indexStats $out $collStats $currentOp',
);

/** Of stages other than `$match`, at any depth. */
export const supportedExpressions = set(
  // Accumulators.
  '$addToSet $avg $first $last $max $min $push $sum ' +
    // Arithmetic, comparison, logic.
    '$abs $add $ceil $divide $exp $floor $ln $log $log10 $mod $multiply $sqrt $subtract ' +
    '$cmp $eq $gt $gte $lt $lte $ne $and $or $not $cond $ifNull $switch ' +
    // Arrays, objects, sets.
    '$arrayElemAt $arrayToObject $concatArrays $filter $in $indexOfArray $isArray $map $mergeObjects $objectToArray ' +
    '$range $reduce $reverseArray $size $slice $zip $allElementsTrue $anyElementTrue $setDifference $setEquals ' +
    '$setIntersection $setIsSubset $setUnion ' +
    // Texts, times, types.
    '$concat $indexOfBytes $indexOfCP $ltrim $rtrim $trim $replaceAll $replaceOne $split $strLenBytes $strLenCP $strcasecmp $substr ' +
    '$substrBytes $substrCP $toLower $toUpper $regexFind $regexFindAll $regexMatch $dateAdd $dateFromString ' +
    '$dateSubtract $dateToString $dayOfMonth $dayOfWeek $dayOfYear $hour $isoDayOfWeek $isoWeek $isoWeekYear $millisecond $minute $month $second $week ' +
    '$year $convert $toBool $toDate $toDecimal $toDouble $toInt $toLong $toObjectId $toString $type $let $literal $meta',
);

export const supportedIndexOptions = set(
  'v key name unique sparse background expireAfterSeconds partialFilterExpression',
);

export const supportedCollectionOptions = set('validator validationLevel validationAction');

/** Of every command: what drivers add. */
export const supportedCommonFields = set(
  '$db $readPreference $clusterTime lsid readConcern writeConcern maxTimeMS comment bypassDocumentValidation',
);

export const supportedFields: Readonly<Record<string, ReadonlySet<string>>> = {
  find: set('find filter sort projection skip limit batchSize singleBatch hint noCursorTimeout'),
  aggregate: set('aggregate pipeline cursor allowDiskUse hint'),
  count: set('count query limit skip hint'),
  distinct: set('distinct key query'),
  insert: set('insert documents ordered'),
  update: set('update updates ordered'),
  delete: set('delete deletes ordered'),
  findAndModify: set('findAndModify query sort update remove new upsert fields arrayFilters'),
};
export const supportedUpdateFields = set('q u multi upsert arrayFilters hint');
export const supportedDeleteFields = set('q limit hint');
