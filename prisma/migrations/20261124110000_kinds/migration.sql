-- AlterTable: the default is for rows that are there, and for servers of the former release that are still running.
ALTER TABLE "credentials" ADD COLUMN "kind" TEXT NOT NULL DEFAULT 'oauth2';

-- The kinds of src/domain/credential-kind.ts.
ALTER TABLE "credentials"
    ADD CONSTRAINT "credentials_kind_check"
        CHECK ("kind" IN ('oauth2', 'api_key', 'basic', 'client_credentials'));

-- CreateTable: one row for each token that was handed out.
CREATE TABLE "token_reads" (
    "id" TEXT NOT NULL,
    "credential_id" TEXT NOT NULL,
    "user_id" TEXT NOT NULL,
    "api_key" TEXT NOT NULL,
    "generation" INTEGER NOT NULL,
    "request_id" TEXT NOT NULL,
    "read_at" TIMESTAMPTZ(3) NOT NULL,

    CONSTRAINT "token_reads_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "token_reads_credential_id_id_idx" ON "token_reads"("credential_id", "id");

-- CreateIndex
CREATE INDEX "token_reads_read_at_idx" ON "token_reads"("read_at");

-- What follows is beyond Prisma's schema language.

-- Credentials whose deletion is not through: few, and looked for by every sweep.
CREATE INDEX "credentials_deleting_idx" ON "credentials"("updated_at")
    WHERE "verdict_code" = 'credential_deleted' AND "sealed_tokens" <> '';
