-- AlterTable
ALTER TABLE "integrations" ADD COLUMN "resume_since" TIMESTAMPTZ(3);

-- CreateTable
CREATE TABLE "deliveries" (
    "id" TEXT NOT NULL,
    "sequence" BIGSERIAL NOT NULL,
    "integration_id" TEXT NOT NULL,
    "provider" TEXT NOT NULL,
    "external_id" TEXT NOT NULL,
    "sealed_content" TEXT NOT NULL,
    "state" TEXT NOT NULL DEFAULT 'queued',
    "attempts" INTEGER NOT NULL DEFAULT 0,
    "crashes" INTEGER NOT NULL DEFAULT 0,
    "suspect" BOOLEAN NOT NULL DEFAULT false,
    "claim" TEXT,
    "next_attempt_at" TIMESTAMPTZ(3),
    "reason" TEXT,
    "detail" TEXT,
    "received_at" TIMESTAMPTZ(3) NOT NULL,
    "finished_at" TIMESTAMPTZ(3),

    CONSTRAINT "deliveries_pkey" PRIMARY KEY ("integration_id","id")
);

-- CreateTable
CREATE TABLE "delivery_consumers" (
    "integration_id" TEXT NOT NULL,
    "claim" TEXT NOT NULL,
    "since" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "delivery_consumers_pkey" PRIMARY KEY ("integration_id")
);

-- CreateTable
CREATE TABLE "subscriptions" (
    "integration_id" TEXT NOT NULL,
    "sealed_secrets" TEXT,
    "expires_at" TIMESTAMPTZ(3),
    "due_at" TIMESTAMPTZ(3),
    "failure_detail" TEXT,
    "failure_since" TIMESTAMPTZ(3),
    "failure_tries" INTEGER NOT NULL DEFAULT 0,
    "version" INTEGER NOT NULL,

    CONSTRAINT "subscriptions_pkey" PRIMARY KEY ("integration_id")
);

-- CreateIndex
CREATE UNIQUE INDEX "deliveries_external_id_integration_id_key" ON "deliveries"("external_id", "integration_id");

-- CreateIndex
CREATE INDEX "subscriptions_due_at_idx" ON "subscriptions"("due_at");

-- CreateIndex
CREATE INDEX "entities_provider_external_id_idx" ON "entities"("provider", "external_id");

-- What follows is beyond Prisma's schema language.

-- One index begins with the integration for each way of reading it. The unique one does not: without statistics (a young
-- table, a burst) the planner would take either for a lot's ids, and read whatever the integration ever got.

-- What is still to be done, in the order of arrival: claims, counts and the sweep read only this. By the time and not by
-- the state, so that a claim changes no column of an index and its row version can stay out of all of them (HOT).
CREATE INDEX "deliveries_pending_idx" ON "deliveries"("integration_id", "sequence") WHERE "finished_at" IS NULL;

-- What ended without success: few among many, listed and replayed.
CREATE INDEX "deliveries_unhandled_idx" ON "deliveries"("integration_id", "id")
    WHERE "finished_at" IS NOT NULL AND "reason" IS NOT NULL;

-- Contents are sealed, so compressing them is waste, and every one goes out of line: a claim and an end then rewrite some
-- 300 bytes and find room for them on the same page. Dead versions are swept early, a fifth of a big queue is too late.
ALTER TABLE "deliveries" ALTER COLUMN "sealed_content" SET STORAGE EXTERNAL;
ALTER TABLE "deliveries" SET (
    toast_tuple_target = 256,
    fillfactor = 80,
    autovacuum_vacuum_scale_factor = 0.02,
    autovacuum_analyze_scale_factor = 0.02,
    toast.autovacuum_vacuum_scale_factor = 0.05
);

-- What retention deletes, oldest first.
CREATE INDEX "deliveries_finished_at_idx" ON "deliveries"("finished_at") WHERE "finished_at" IS NOT NULL;

-- What the sweep resumes.
CREATE INDEX "integrations_resume_idx" ON "integrations"("updated_at") WHERE "resume_since" IS NOT NULL;

-- The states of src/domain/delivery.ts, and what each of them implies.
ALTER TABLE "deliveries"
    ADD CONSTRAINT "deliveries_state_check"
        CHECK ("state" IN ('queued', 'claimed', 'succeeded', 'failed', 'discarded', 'expired')),
    ADD CONSTRAINT "deliveries_claim_check"
        CHECK (("claim" IS NOT NULL) = ("state" = 'claimed')),
    ADD CONSTRAINT "deliveries_finished_check"
        CHECK (("finished_at" IS NULL) = ("state" IN ('queued', 'claimed'))),
    ADD CONSTRAINT "deliveries_reason_check"
        CHECK (CASE "state" WHEN 'succeeded' THEN "reason" IS NULL
                            WHEN 'queued' THEN true WHEN 'claimed' THEN true
                            ELSE "reason" IS NOT NULL END);
