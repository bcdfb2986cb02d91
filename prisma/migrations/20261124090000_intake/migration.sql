-- CreateIndex
-- What the sweep deletes: the consumers of long ago, most of them of integrations that are gone.
CREATE INDEX "delivery_consumers_since_idx" ON "delivery_consumers"("since");

-- AlterTable
ALTER TABLE "delivery_consumers" ADD COLUMN "is_looking" BOOLEAN NOT NULL DEFAULT false;
